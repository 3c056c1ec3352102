"""Asks upstream about a caller's key: one flight per opening, whoever waits; what comes of it is remembered here and only here.

A refusal of a key that upstream had accepted is asked for again, and a witness after each, until it is no coincidence: an
outage that comes and goes would refuse the one and accept the other. An answer that lets nobody in is given again for a second:
SDKs that have nothing yet ask before every evaluation (sdks.md §1.6).
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
from .verdict import ENOUGH, QUOTA, Accepted, Others, Refused, Unclear, Verdict, is_believed, verdict

TURNS: Final = 2
"""How often a refused key is asked about at one poll, a witness after each; one that polls seldom has only this poll."""

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
        record = self._records.get(question.opening)
        if record is not None:
            return await self._weighed(question, record, found)
        others, refused_for_s = await self._controls.others(question.opening, None, status=found.answer.status)
        return found if is_believed(others=others, refused_for_s=refused_for_s, is_known=False) else Doubted()

    async def _weighed(self, question: Question, record: Record, found: Refused) -> Conclusion:
        """Weigh the refusal of a known key: ask a witness, then the same again, as often as this caller's pace demands."""
        last_poll = record.refused_at
        for turn in range(ENOUGH if record.comes_seldom else TURNS):
            if turn:
                again = await _asked(question)
                if not isinstance(again, Refused):
                    return again if isinstance(again, Accepted) else Doubted()
                found = again
            record.refuse(self._clock.monotonic())
            others, refused_for_s = await self._controls.others(
                question.opening, record, status=found.answer.status, heard_since=last_poll
            )
            if others is Others.NOT_ACCEPTED:
                record.discount()
            is_repeated = record.is_refused_repeatedly
            if is_believed(others=others, refused_for_s=refused_for_s, is_known=True, is_repeated=is_repeated):
                return found if is_repeated else await self._confirmed(question)
            if others is not Others.ACCEPTED:
                break
        return Doubted()

    async def _confirmed(self, question: Question) -> Conclusion:
        """Ask once more before a long outage is taken for a refusal: it may be over."""
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


def _key(question: Question) -> Key:
    material = "\n".join((*question.opening, question.etag or "")).encode()
    return Key(hash(material), material)
