"""Whose request it is: the token in the body names the project, and the project its upstream and policy.

With projects configured their tokens are an allow-list, so that the proxy is no open relay. With none configured any token is
served, as one project `default` at the upstream `default`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from proxy.answer.request import ProjectName, UpstreamName
from proxy.config.settings import Policy, Settings

DEFAULT: Final = "default"


class Tenant(msgspec.Struct, frozen=True):
    """One project as requests need it."""

    project: ProjectName
    upstream: UpstreamName
    policy: Policy


class Tenants:
    """Every project this proxy serves."""

    def __init__(self, settings: Settings) -> None:
        self._by_token = _by_token(settings)
        self.open = None if settings.projects else _tenant(DEFAULT, DEFAULT, settings.policy)
        """The one tenant when any token is served; None with an allow-list."""
        self.anyone = self.open or _tenant(DEFAULT, _first_upstream(settings), settings.policy)
        """Who answers what carries no token by nature: GET, HEAD and the like."""

    def of(self, fields: Mapping[str, Any] | None) -> Tenant | None:
        """Return whose request a body is (`fields` under their first names; None: unreadable); None when nobody's."""
        if self.open is not None:
            return self.open
        token = None if fields is None else fields.get("token")
        return self._by_token.get(token) if isinstance(token, str) else None

    def sharing(self, upstream: str) -> int:
        """Return how many projects one upstream serves."""
        return sum(tenant.upstream == upstream for tenant in {t.project: t for t in self._by_token.values()}.values())


def _by_token(settings: Settings) -> dict[str, Tenant]:
    found: dict[str, Tenant] = {}
    for name, project in settings.projects.items():
        tenant = _tenant(name, project.upstream, project.policy or settings.policy)
        found.update(dict.fromkeys(project.tokens, tenant))
    return found


def _tenant(project: str, upstream: str, policy: Policy) -> Tenant:
    return Tenant(ProjectName(project), UpstreamName(upstream), policy)


def _first_upstream(settings: Settings) -> str:
    return DEFAULT if DEFAULT in settings.upstreams else next(iter(settings.upstreams))
