"""A worker's last exchanges, and whose traces told of them: a fallback finds its own, and who joined finds the leader.

Whoever joins a flight shares the leader's exchange, and its span with it: it is told once, and linked to from everybody else's.
Both memories are bounded; a link that is missing costs a look, never an answer.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from proxy.answer.answer import Failure, Whole
from proxy.answer.request import FlagsRequest

from .current import Trace
from .span import Link

RECENT: Final = 256
"""Exchanges remembered for fallbacks that are told afterwards."""
LEADERS: Final = 1024
"""Traces remembered for who joined them."""


class Exchanged(msgspec.Struct, frozen=True):
    """An exchange that ended: for whom (the digest of the key only), when, and how."""

    digest: int
    upstream: str
    method: str
    started: float
    ended: float
    result: Whole | Failure


class Leader(msgspec.Struct):
    """Whose trace tells of a question's last exchange; `ended`: never, while it is under way."""

    link: Link
    ended: float = math.inf


class Exchanges:
    """One worker's."""

    def __init__(self) -> None:
        self._recent: deque[Exchanged] = deque(maxlen=RECENT)
        self._leaders: dict[int, Leader] = {}

    def begun(self, digest: int, trace: Trace) -> None:
        """Note that a trace tells of the exchange that begins."""
        if not digest:
            return
        self._leaders.pop(digest, None)
        if len(self._leaders) >= LEADERS:
            del self._leaders[next(iter(self._leaders))]
        self._leaders[digest] = Leader(Link(trace.trace_id, trace.span_id))

    def ended(self, digest: int, trace: Trace, at: float) -> None:
        """Note that it ended: who asks later did not share it."""
        leader = self._leaders.get(digest)
        if leader is not None and leader.link.span_id == trace.span_id:
            leader.ended = at

    def keep(self, exchanged: Exchanged) -> None:
        """Remember one that no trace told of, for a while."""
        self._recent.append(exchanged)

    def leader(self, request: FlagsRequest) -> list[Link]:
        """Return what a request that joined is linked to: nothing, where nobody tells of what it shared."""
        leader = None if request.key is None else self._leaders.get(request.key.digest)
        return [leader.link] if leader is not None and leader.ended >= request.started else []

    def of(self, request: FlagsRequest) -> Iterator[Exchanged]:
        """Return the untold exchanges that a request's answer may have come from."""
        for exchanged in self._recent:
            if request.key is not None and exchanged.digest == request.key.digest and exchanged.ended >= request.started:
                yield exchanged


def exchanged_by(request: FlagsRequest, upstream: str, result: Whole | Failure, times: tuple[float, float]) -> Exchanged:
    """Return what is told of an exchange that ended; of the answer only its status."""
    bare = Whole(result.status, "", b"") if isinstance(result, Whole) else result
    return Exchanged(digest_of(request), upstream, request.method, *times, bare)


def digest_of(request: FlagsRequest) -> int:
    """Return what stands for a question here; 0: nobody can share it."""
    return 0 if request.key is None else request.key.digest
