"""Which upstream a relayed request belongs to, judged by the project tokens that are visible in it.

Tokens are looked for in the query and in the header that posthog-rs sends. A request that shows none is left to the service's
own checks; one that shows a token of nobody's, or tokens of two projects, is refused: the proxy is no open relay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from proxy.config.settings import Project, Settings

DEFAULT: Final = "default"
TOKEN_HEADER: Final = "X-PostHog-Project-Api-Key"  # noqa: S105 - the name of a header
_LONGEST_QUERY: Final = 4096
_MOST_FIELDS: Final = 64


class Tenants:
    """The allow-list of project tokens; without projects any token is served by the default upstream."""

    def __init__(self, projects: Mapping[str, Project], *, default: str = DEFAULT) -> None:
        """Take the projects, and the upstream of what shows no token."""
        self._default = default
        self._upstream_of = {token: project.upstream for project in projects.values() for token in project.tokens}
        self._project_of = {token: name for name, project in projects.items() for token in project.tokens}

    def upstream(self, request: web.BaseRequest, query: str) -> str | None:
        """Return the name of the upstream to relay to; None when the request is nobody's."""
        tokens = _visible_tokens(request, query)
        if tokens is None:
            return None
        if not self._project_of or not tokens:
            return self._default
        owners = {self._project_of.get(token) for token in tokens}
        return self._upstream_of[next(iter(tokens))] if len(owners) == 1 and None not in owners else None


def default_upstream(settings: Settings) -> str:
    """Return the upstream named `default`, or the first."""
    return DEFAULT if DEFAULT in settings.upstreams else next(iter(settings.upstreams))


def _visible_tokens(request: web.BaseRequest, query: str) -> set[str] | None:
    """Return all tokens shown; None when the query is too large to be looked through."""
    if len(query) > _LONGEST_QUERY:
        return None
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    in_query = {value for name, value in fields if name == "token"}
    return (in_query | set(request.headers.getall(TOKEN_HEADER, ()))) - {""}
