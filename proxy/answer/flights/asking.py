"""An answer by asking upstream: the flight, the race against what is at hand, and what stands in when neither gives one.

board a flight, or join one ─► in its usual time? ─┬ yes: story ─► failure? the rungs ─► merely slow? the reserved lane
                                                   │             └ partial? merge
                                                   └ no: race ─► what is at hand
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from proxy.answer.answer import Answer, Failure, Forward, Source, Trouble
from proxy.answer.hooks import Mending
from proxy.answer.request import FlagsRequest, UpstreamName
from proxy.answer.rungs.walk import Rescued, Walk
from proxy.answer.shape import unavailable
from proxy.answer.switches import Mode
from proxy.clock import Clock
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept
from proxy.lastgood.tiers.tiers import Tiers
from proxy.upstream.origin import Origin, Tried

from .flight import Flight
from .race import Race
from .renewal import Renewal
from .trip import Departure, Flown, Trip

_LATE: Final = Failure(trouble=Trouble.TIMEOUT)


class Lasting(msgspec.Struct, frozen=True):
    """What outlives the settings: what is in the air, and what was learnt and counted."""

    flight: Flight[Flown]
    trip: Trip
    race: Race
    renewal: Renewal
    mending: Mending
    tiers: Tiers


class Asking:
    """Asks upstream, and always has an answer."""

    def __init__(self, origins: Mapping[UpstreamName, Origin], lasting: Lasting, walk: Walk, *, clock: Clock) -> None:
        self._origins = origins
        self._flight = lasting.flight
        self._trip = lasting.trip
        self._race = lasting.race
        self._renewal = lasting.renewal
        self._mending = lasting.mending
        self._tiers = lasting.tiers
        self._walk = walk
        self._clock = clock

    async def answer(self, request: FlagsRequest, mode: Mode, entry: Entry[Kept] | None, *, lane: bool = False) -> Answer:
        """Return upstream's answer, or what stands in for it.

        Args:
            request: What is asked.
            mode: The switches in force.
            entry: The last good answer to the same question.
            lane: Ask in the lane that is reserved for who has no other source while upstream is slow.
        """
        origin = self._origins[request.upstream]
        has_other_source = self._walk.has_source(request, entry)
        aloft, is_joined = self._flight.board(
            request.key,
            lambda: self._fly(request, mode, origin, has_other_source=has_other_source, lane=lane),
            patience_s=request.policy.deadline_s,
        )
        bare = opening(request, entry, is_joined=is_joined)
        if not await self._race.is_prompt(aloft, request, p95_s=origin.p95_s()):
            late = replace(bare, failure=_LATE)
            rescued = await self._race.run(aloft, request, is_on=mode.race, prepare=lambda: self._walk.rescue(request, late))
            if rescued is not None:
                return rescued.answer
        settled = await self.settle(request, mode, bare, aloft.task.result())
        failure = settled.answer.failure
        if lane or settled.is_complete or failure is None or not failure.is_slowness:
            return settled.answer
        return await self.answer(request, mode, entry, lane=True)

    async def settle(self, request: FlagsRequest, mode: Mode, bare: Answer, flown: Flown) -> Rescued:
        """Return what becomes of what a flight brought back; `bare` is the story so far."""
        story = _told(bare, flown)
        if story.failure is not None:
            return await self._walk.rescue(request, story)
        if flown.is_partial and mode.merge:
            story = await self._mending.mend(request, story, lambda missing: self._walk.fill(request, missing))
        return Rescued(story, is_complete=True)

    async def after(
        self, request: FlagsRequest, mode: Mode, entry: Entry[Kept] | None, tried: Tried, departure: Departure
    ) -> Answer:
        """Return what would have been answered, had upstream been asked by us; learn from what it said."""
        bare = opening(request, entry, is_joined=False)
        late = await self._would_be_late(request, mode, bare)
        origin = self._origins[request.upstream]
        flown = await self._trip.land(request, mode, tried, departure, origin=origin, may_ask=False)
        return late or (await self.settle(request, mode, bare, flown)).answer

    async def _would_be_late(self, request: FlagsRequest, mode: Mode, bare: Answer) -> Answer | None:
        now, policy = self._clock.monotonic(), request.policy
        if now < min(request.deadline, request.started + policy.deadline_at_hand_s):
            return None
        rescued = await self._walk.rescue(request, replace(bare, failure=_LATE))
        return rescued.answer if now >= request.deadline or (mode.race and rescued.is_complete) else None

    def renew(self, request: FlagsRequest, mode: Mode) -> None:
        """Have an answer that is still given asked for anew, while nobody waits."""
        origin = self._origins[request.upstream]
        self._renewal.begin(request, lambda: self._fly(request, mode, origin, has_other_source=True))

    async def _fly(
        self, request: FlagsRequest, mode: Mode, origin: Origin, *, has_other_source: bool, lane: bool = False
    ) -> Flown:
        departure = self._trip.depart()
        recalling = self._tiers.beside(request)  # the judge is to know what was said last, after a restart too
        tried = await origin.ask(request, mode=mode, has_other_source=has_other_source, lane=lane)
        if recalling is not None:
            await recalling
        return await self._trip.land(request, mode, tried, departure, origin=origin)


def opening(request: FlagsRequest, entry: Entry[Kept] | None, *, is_joined: bool) -> Answer:
    """Return the story before anything happened: nothing at hand."""
    return Answer(content=unavailable(), source=Source.NONE, joined=is_joined, forward=_forward(request, entry))


def _told(bare: Answer, flown: Flown) -> Answer:
    whole, failure = flown.tried.whole, flown.tried.failure
    if whole is None:
        return replace(bare, failure=failure, notes=flown.notes)
    return replace(bare, content=whole, source=Source.UPSTREAM, failure=failure, stored=flown.stored, notes=flown.notes)


def _forward(request: FlagsRequest, entry: Entry[Kept] | None) -> Forward:
    if request.key is None:
        return Forward.BYPASS if request.method == "POST" else Forward.METHOD
    return Forward.MISS if entry is None else Forward.STALE
