"""Answers on their way out of a worker: one for each question, the oldest dropped first when too much waits.

What has not changed since it was last written is not written again for a while: SDKs ask every few seconds and get the same
flags. "The same" leaves out what differs in every answer (`requestId`, `evaluatedAt`); a changed flag is written at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName

from .record import RECORD_BYTES

MAX_BYTES: Final = 4 * 1024 * 1024
WRITTEN_KEPT: Final = 16_384
"""So many questions are recognised as written lately: about 3 MiB."""

_CHANGING: Final = (b'"requestId":', b'"evaluatedAt":')


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """One answer that waits; times in Unix seconds."""

    whole: Whole
    project: ProjectName
    stored_at: float
    expires_at: float

    def cost_bytes(self, key: Key) -> int:
        """What it holds in memory, roughly; most of it is shared with what is remembered there anyway."""
        return len(self.whole.body) + len(key.material) + RECORD_BYTES


class Outbox:
    """What waits, and what was written lately.

    Attributes:
        bytes: What waits takes.
        dropped: Answers given up because too much waited.
        unchanged: Answers not written because the same was, lately.
    """

    def __init__(self, *, rewrite_s: float, max_bytes: int = MAX_BYTES) -> None:
        self.bytes = 0
        self.dropped = 0
        self.unchanged = 0
        self.rewrite_s = rewrite_s
        self._max_bytes = max_bytes
        self._waiting: OrderedDict[Key, Waiting] = OrderedDict()
        self._written: dict[int, tuple[int, float]] = {}  # digest of the question → print of the answer, when

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, key: Key, waiting: Waiting) -> None:
        """Have an answer written, instead of an older one to the same question."""
        before = self._waiting.pop(key, None)
        if before is not None:
            self.bytes -= before.cost_bytes(key)
        self._waiting[key] = waiting
        self.bytes += waiting.cost_bytes(key)
        while self.bytes > self._max_bytes:
            oldest, dropped = self._waiting.popitem(last=False)
            self.bytes -= dropped.cost_bytes(oldest)
            self.dropped += 1

    def take(self) -> tuple[Key, Waiting] | None:
        """Remove and return the next answer that is worth writing, and note it as written; None when none is left."""
        while self._waiting:
            key, waiting = self._waiting.popitem(last=False)
            self.bytes -= waiting.cost_bytes(key)
            if self._is_worth_writing(key, waiting):
                return key, waiting
            self.unchanged += 1
        return None

    def purge(self, is_meant: Callable[[Key, ProjectName], bool]) -> None:
        """Forget what is meant, and of everything that it was written: what is asked again is written again."""
        for key in [key for key, waiting in self._waiting.items() if is_meant(key, waiting.project)]:
            self.bytes -= self._waiting.pop(key).cost_bytes(key)
        self._written.clear()

    def _is_worth_writing(self, key: Key, waiting: Waiting) -> bool:
        printed = hash(_lasting(waiting.whole.body))
        before = self._written.pop(key.digest, None)
        if before is not None and before[0] == printed and waiting.stored_at - before[1] < self.rewrite_s:
            self._written[key.digest] = before
            return False
        if len(self._written) >= WRITTEN_KEPT:
            del self._written[next(iter(self._written))]
        self._written[key.digest] = (printed, waiting.stored_at)
        return True


def _lasting(body: bytes) -> bytes:
    """Return an answer without what differs in every one: the values of the last fields of these names, up to what follows.

    Searching costs 1 µs where a pattern costs 7. Where another field is hit, the answer merely seems changed and is written.
    """
    for name in _CHANGING:
        at = body.rfind(name)
        if at >= 0:
            ends = [end for end in (body.find(b",", at), body.find(b"}", at)) if end >= 0]
            body = body[:at] + body[min(ends, default=len(body)) :]
    return body
