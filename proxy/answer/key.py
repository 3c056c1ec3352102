"""The key: what an answer depends on, in one canonical text (sdks.md §2.5).

It is the whole parsed body minus a closed list, aliases under one name, plus everything outside the body that the service looks
at. So a field that a future SDK adds separates answers by construction. Refused, because the service would read more into them
than we can see: bodies not strictly read, the cookieless sentinel, and internal requests.
"""

from __future__ import annotations

from typing import Any, Final

import mmh3
import msgspec

from .request import Family, Key, ProjectName

NOT_IN_KEY: Final = ("sent_at", "timestamp", "$lib_version")
"""Top-level fields that differ from call to call and change no answer. The same names *inside* person properties count: a
release condition can match them (docs/decisions, the closed list)."""

COOKIELESS: Final = "$posthog_cookieless"
AGENT_HEADERS: Final = frozenset(
    {"user-agent", "origin", "referer", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-dest", "sec-fetch-user"}
)
"""What runtime and bot detection look at (contract §1.6)."""

_SCALARS: Final = (str, int, float, type(None))
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Scope(msgspec.Struct, frozen=True, array_like=True):
    """What an answer depends on outside the body.

    Attributes:
        project: Configured name; the token itself is in the body.
        family: `/flags` or `/decide`.
        query: `Query.identity`.
        agent: The forwarded lines named in `AGENT_HEADERS`, and any `X-PostHog-…`, in order.
        address: The client's address as the service will read it; "" where the request says `geoip_disable`.
    """

    project: ProjectName
    family: Family
    query: str
    agent: list[tuple[str, str]]
    address: str


def agent_lines(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Return the forwarded lines an answer may depend on, names in lower case."""
    lines = [(name.lower(), value) for name, value in headers]
    return [line for line in lines if line[0] in AGENT_HEADERS or line[0].startswith("x-posthog-")]


def is_shareable(fields: dict[str, Any]) -> bool:
    """Tell whether a strictly read body may have a key at all."""
    if fields.get("distinct_id") == COOKIELESS or "override_flags_definitions" in fields:
        return False
    return fields.get("disable_flags") is not True


def key_for(scope: Scope, fields: dict[str, Any]) -> Key | None:
    """Return the key of a strictly read body; `fields` loses what is not part of it.

    None when a field of the closed list is of a kind that the service might refuse.
    """
    for name in NOT_IN_KEY:
        if not isinstance(fields.pop(name, None), _SCALARS):
            return None
    material = _encode((scope, fields))
    return Key(mmh3.hash64(material, 0, True, False)[0], material)
