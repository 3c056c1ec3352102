"""What a flight brought back: judged, remembered where it is good, and what an outage skipped is counted.

    refused (401, 402, 403) ─► hysteresis        over quota ─► grace        partial ─► merge, later
    good ─► judge ─► remember

This happens once per flight, for all who joined it and also when nobody waits any more. What came in late never replaces what
was said later: an answer is remembered only if nothing else was, and nothing was purged, since it was asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.judgement.hysteresis import AUTH, Stance
from proxy.answer.judgement.judge import Finding
from proxy.answer.judgement.judgement import Judgement
from proxy.answer.judgement.listing import flags_of
from proxy.answer.partial.failing import fresh_s
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading, is_worth_remembering
from proxy.answer.switches import Mode
from proxy.clock import Clock
from proxy.definitions.held import Held
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept, Memory
from proxy.upstream.origin import Origin, Tried
from proxy.upstream.outcomes import Feed

NOTHING: Final[Mapping[str, Any]] = {}
FOUND: Final = {found: NOTHING if found is Finding.PLAIN else {"judge": found} for found in Finding}
MADE: Final = {stance: NOTHING if stance is Stance.UNKNOWN else {"hysteresis": stance} for stance in Stance}
"""Notes of what was found; the ordinary case has none."""


class Flown(msgspec.Struct, frozen=True):
    """What a flight brought back.

    Attributes:
        tried: How asking went; what judgement holds back is a failure here.
        stored: The answer was remembered.
        is_partial: It is a flags answer that says itself that it is not whole.
        notes: For `Answer.notes`.
    """

    tried: Tried
    stored: bool = False
    is_partial: bool = False
    notes: Mapping[str, Any] = NOTHING


class Departure(msgspec.Struct, frozen=True):
    """When upstream was asked, on the proxy's clock, and after how many purges."""

    at: float
    purges: int


class Trip:
    """Takes what flights bring back.

    Attributes:
        judgement: What is judged.
        undelivered: Requests on which the service would have written and that it did not answer, by project.
        overtaken: Good answers that were not remembered because something later was said or purged.
    """

    def __init__(self, memory: Memory, held: Held, judgement: Judgement, *, clock: Clock) -> None:
        self.judgement = judgement
        self.undelivered: Counter[ProjectName] = Counter()
        self.overtaken = 0
        self._memory = memory
        self._held = held
        self._clock = clock
        self._purges = 0

    def depart(self) -> Departure:
        """Note that upstream is being asked."""
        return Departure(self._clock.monotonic(), self._purges)

    def purged(self) -> None:
        """Have nothing remembered that is in the air now: it may be what was just forgotten."""
        self._purges += 1

    async def land(
        self,
        request: FlagsRequest,
        mode: Mode,
        tried: Tried,
        departure: Departure,
        *,
        origin: Origin,
        may_ask: bool = True,
    ) -> Flown:
        """Judge and remember.

        Args:
            request: What was asked.
            mode: The switches in force.
            tried: How asking went.
            departure: When.
            origin: Who was asked, and is taught what came of it.
            may_ask: It may be asked again about a refusal; not where the line only watches.
        """
        whole, reading = tried.whole, tried.reading
        if request.writes and tried.failure is not None:
            self.undelivered[request.project] += 1
        if whole is None or tried.failure is not None:
            return Flown(tried)
        if reading is None:
            if whole.status not in AUTH or not mode.hysteresis:
                return Flown(tried)
            await self._compare(request, origin, may_ask=may_ask)
            return self._refused(request, tried, whole, origin)
        self.judgement.hysteresis.worked(request)
        if self.judgement.quota.is_held(request, reading):
            return _held_back(tried, whole, Trouble.OVER_QUOTA)
        if not is_worth_remembering(whole, reading):
            return Flown(tried, is_partial=True)
        return self._good(request, mode, tried, whole, reading, departure)

    def _good(
        self, request: FlagsRequest, mode: Mode, tried: Tried, whole: Whole, reading: Reading, departure: Departure
    ) -> Flown:
        last, notes, set_mark = self._memory.get(request.key), NOTHING, None
        if mode.judge:
            held = self._held.get(request.project)
            verdict = self.judgement.judge.weigh(request, reading, last, held)
            self.judgement.lag.look(request, reading, held)
            notes, set_mark = FOUND[verdict.finding], verdict.set_mark
            if verdict.is_held:
                return _held_back(tried, whole, Trouble.SUSPECT, notes)
        if request.key is None:
            return Flown(tried, notes=notes)
        if self._is_overtaken(last, departure):
            self.overtaken += 1
            return Flown(tried, notes=notes)
        stored = self._memory.remember(
            request.key,
            whole,
            project=request.project,
            policy=request.policy,
            set_mark=set_mark,
            fresh_s=fresh_s(request.policy, flags_of(reading).keys()) if request.policy.flags else None,
        )
        return Flown(tried, stored, notes=notes)

    def _is_overtaken(self, last: Entry[Kept] | None, departure: Departure) -> bool:
        return departure.purges != self._purges or (last is not None and last.stored_at > departure.at)

    async def _compare(self, request: FlagsRequest, origin: Origin, *, may_ask: bool) -> None:
        hysteresis = self.judgement.hysteresis
        if may_ask:
            await hysteresis.compare(request, origin.ask)
        else:
            hysteresis.refuse(request)

    def _refused(self, request: FlagsRequest, tried: Tried, whole: Whole, origin: Origin) -> Flown:
        stance = self.judgement.hysteresis.weigh(request)
        if stance is not Stance.HELD:
            return Flown(tried, notes=MADE[stance])
        origin.teach(request, Feed.PROJECT)
        return _held_back(tried, whole, Trouble.AUTH, MADE[stance])


def _held_back(tried: Tried, whole: Whole, trouble: Trouble, notes: Mapping[str, Any] = NOTHING) -> Flown:
    failure = Failure(trouble=trouble, status=whole.status)
    return Flown(msgspec.structs.replace(tried, failure=failure), notes=notes)
