"""The line: one straight walk from a `FlagsRequest` to an `Answer`.

    local-first? ─► fresh copy? ─► flight (join?) ─► origin: admission ─► breaker ─► exchange ─► settle ─► remember ─► Answer
       └ on a Failure: the policy's rungs, in order ─► upstream's own refusal, as it came ─► unavailable

An answer is always given; trouble is a value on the way. What upstream said is remembered inside the flight, once for all who
joined it; the rungs are walked by each request for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept, Memory
from proxy.upstream.origin import Origin, Tried

from .answer import Answer, Forward, Source
from .assemble import Assembler
from .at_hand.choice import AtHand
from .at_hand.sample import Sample
from .flight import Flight
from .request import FlagsRequest, UpstreamName
from .rungs.rung import Filled, Rung
from .shape import is_worth_remembering, unavailable


class Flown(msgspec.Struct, frozen=True):
    """What a flight brought back: how asking went, and whether the answer was remembered."""

    tried: Tried
    stored: bool = False


class Ladder:
    """Decides where an answer comes from."""

    def __init__(
        self,
        *,
        origins: Mapping[UpstreamName, Origin],
        memory: Memory,
        flight: Flight[Flown],
        rungs: Mapping[str, Rung],
        assembler: Assembler,
        at_hand: AtHand,
        sample: Sample,
    ) -> None:
        self._origins = origins
        self._memory = memory
        self._rungs = rungs
        self._assembler = assembler
        self._at_hand = at_hand
        self._sample = sample
        self._flight = flight

    async def answer(self, request: FlagsRequest) -> Answer:
        """Return the answer to a request; there always is one."""
        self._sample.note(request)
        entry = self._memory.get(request.key)
        at_hand = await self._at_hand.answer(request, entry)
        if at_hand is not None:
            return at_hand
        flown, is_joined = await self._fly(request)
        story = Answer(
            content=flown.tried.whole or unavailable(),
            source=Source.UPSTREAM if flown.tried.whole is not None else Source.NONE,
            failure=flown.tried.failure,
            joined=is_joined,
            forward=_forward(request, entry),
            stored=flown.stored,
        )
        return story if story.failure is None else await self._rescue(request, story)

    async def _fly(self, request: FlagsRequest) -> tuple[Flown, bool]:
        if request.key is None:
            return Flown(await self._origins[request.upstream].ask(request)), False
        return await self._flight.join(request.key, lambda: self._ask_and_remember(request))

    async def _ask_and_remember(self, request: FlagsRequest) -> Flown:
        tried = await self._origins[request.upstream].ask(request)
        return Flown(tried, self._remember(request, tried))

    def _remember(self, request: FlagsRequest, tried: Tried) -> bool:
        whole, reading = tried.whole, tried.reading
        if request.key is None or whole is None or reading is None or not is_worth_remembering(whole, reading):
            return False
        return self._memory.remember(request.key, whole, project=request.project, policy=request.policy)

    async def _rescue(self, request: FlagsRequest, story: Answer) -> Answer:
        """Walk the rungs until nothing is missing; a whole answer of the first that has one ends the walk."""
        pieces: list[Filled] = []
        missing = None if request.asked is None else frozenset(request.asked)
        for name in request.policy.rungs:
            filled = await self._rungs[name].fill(request, missing)
            if filled is None:
                continue
            if filled.content is not None and not pieces:
                return _told(story, filled)
            pieces.append(filled)
            missing = missing and missing.difference(filled.records)
            if missing is not None and not missing:
                break
        return await self._assembler.answer(request, story, pieces) if pieces else story


def _told(story: Answer, filled: Filled) -> Answer:
    assert filled.content is not None
    return msgspec.structs.replace(
        story, content=filled.content, source=filled.source, age_s=filled.age_s, fresh_for_s=filled.fresh_for_s
    )


def _forward(request: FlagsRequest, entry: Entry[Kept] | None) -> Forward:
    if request.key is None:
        return Forward.BYPASS if request.method == "POST" else Forward.METHOD
    return Forward.MISS if entry is None else Forward.STALE
