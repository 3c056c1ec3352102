"""Asks upstream about a caller's key: one flight per opening, whoever waits; what comes of it is remembered here and only here.

A refusal of a key that upstream had accepted is asked for twice, with a witness in between, before it is believed. An answer
that lets nobody in is given again for a second: SDKs that have nothing yet ask before every evaluation (sdks.md §1.6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from proxy.answer.answer import Failure, Whole
from proxy.answer.flights.flight import Flight
from proxy.answer.request import Key
from proxy.clock import Clock
from proxy.definitions.acceptance import Opening

from .controls import Controls
from .records import Record, Records
from .verdict import QUOTA, Accepted, Refused, Unclear, Verdict, is_believed, verdict

NEGATIVE_S: Final = 1.0
MOST_NEGATIVES: Final = 1_000

Ask: TypeAlias = Callable[[], Awaitable["Whole | Failure"]]


class Question(msgspec.Struct, frozen=True):
    """How to ask: `ask` sends the caller's own request, with the tag `etag` of ours or (nothing held yet) of the caller's."""

    opening: Opening
    etag: str | None
    ask: Ask


class Doubted(msgspec.Struct, frozen=True):
    """Upstream refused the key, which may be an outage."""


Conclusion: TypeAlias = Accepted | Refused | Doubted | Unclear


class Inquiries:
    """Upstream's word about keys. Lives as long as the worker, whatever the settings become."""

    def __init__(self, *, records: Records, controls: Controls, clock: Clock) -> None:
        self._records = records
        self._controls = controls
        self._clock = clock
        self._flight: Flight[Conclusion] = Flight(clock=clock)
        self._negatives: dict[Key, tuple[float, Conclusion]] = {}

    async def ask(self, question: Question) -> Conclusion:
        """Return what upstream thinks of an opening now (or thought a second ago, if it let nobody in)."""
        key = _key(question)
        negative = self._negatives.get(key)
        if negative is not None and self._clock.monotonic() - negative[0] < NEGATIVE_S:
            return negative[1]
        conclusion, _ = await self._flight.join(key, lambda: self._fly(key, question))
        return conclusion

    async def close(self) -> None:
        """Cancel what is in the air."""
        await self._flight.close()

    async def _fly(self, key: Key, question: Question) -> Conclusion:
        conclusion = await self._concluded(question)
        self._settle(question.opening, conclusion)
        if not isinstance(conclusion, Accepted):
            self._remember(key, conclusion)
        return conclusion

    async def _concluded(self, question: Question) -> Conclusion:
        found = await _asked(question)
        if not isinstance(found, Refused):
            return found
        opening = question.opening
        record = self._records.get(opening)
        _mark_refused(record, self._clock.monotonic())
        others, refused_for_s = await self._controls.others(opening, record, status=found.answer.status)
        if not is_believed(others=others, refused_for_s=refused_for_s, is_known=record is not None):
            return Doubted()
        if record is None:
            return found
        again = await _asked(question)
        return Doubted() if isinstance(again, Unclear) else again

    def _settle(self, opening: Opening, conclusion: Conclusion) -> None:
        record = self._records.get(opening)
        match conclusion:
            case Accepted():
                self._records.accept(opening)
            case Refused(answer=answer):
                self._records.drop(opening, is_quota=answer.status == QUOTA)
            case Doubted() | Unclear() if record is not None:
                record.tried_at = self._clock.monotonic()
            case _:
                pass

    def _remember(self, key: Key, conclusion: Conclusion) -> None:
        self._negatives.pop(key, None)
        self._negatives[key] = (self._clock.monotonic(), conclusion)
        while len(self._negatives) > MOST_NEGATIVES:
            del self._negatives[next(iter(self._negatives))]


async def _asked(question: Question) -> Verdict:
    return verdict(await question.ask(), is_conditional=question.etag is not None)


def _mark_refused(record: Record | None, now: float) -> None:
    if record is not None and record.refused_since is None:
        record.refused_since = now


def _key(question: Question) -> Key:
    material = "\n".join((*question.opening, question.etag or "")).encode()
    return Key(hash(material), material)
