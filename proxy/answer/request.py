"""One flag request as every step of the line sees it."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

import msgspec

from proxy.config.settings import Policy

ProjectName = NewType("ProjectName", str)
UpstreamName = NewType("UpstreamName", str)


class Family(StrEnum):
    """Which endpoint was called; decides shapes (`X-Original-Endpoint: decide` is set by us from it)."""

    FLAGS = "flags"
    DECIDE = "decide"


class Key(msgspec.Struct, frozen=True):
    """The identity of an answer: equal keys may share one answer, nothing else may.

    Attributes:
        digest: mmh3 of `material`; only a hash, never trusted alone.
        material: The canonical form of everything the answer depends on (sdks.md 2.5); compared in full.
    """

    digest: int
    material: bytes

    def __hash__(self) -> int:
        return self.digest


class FlagsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed request; immutable, the same object for every rung.

    Attributes:
        project: Configured name of the tenant (never the token).
        upstream: Which flag service answers for it.
        policy: The project's effective policy.
        family: `/flags` or `/decide`.
        path: One of the constant paths, with or without the trailing slash as it came; never a client's own text.
        method: HTTP method as it came.
        query: Raw query string, forwarded byte for byte.
        headers: End-to-end request headers ready to be forwarded, in order.
        body: Raw body, forwarded byte for byte.
        key: None: this request may be neither remembered nor joined (cookieless, internal, leniently read, …).
        asked: The flag keys asked for; None for all.
        version: `v` of the query as the service would read it; None when absent.
        deadline: When the caller gets its answer at the latest; absolute, on the proxy's monotonic clock.
        started: When it came, on the same clock.
        credential: Stands for the project token it carries, in this process; 0: not known.
        writes: It carries `$anon_distinct_id`, so the service may write on it: a fresh copy never replaces the call.
    """

    project: ProjectName
    upstream: UpstreamName
    policy: Policy
    family: Family
    path: str
    method: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    key: Key | None
    asked: tuple[str, ...] | None
    version: int | None
    deadline: float
    started: float = 0.0
    writes: bool = False
    credential: int = 0

    @property
    def exchange_deadline(self) -> float:
        """When the exchange ends at the latest: what could be remembered may outlive its callers."""
        if self.key is None:
            return self.deadline
        return max(self.deadline, self.started + self.policy.exchange_s)
