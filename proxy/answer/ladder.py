"""The line: one straight walk from a `FlagsRequest` to an `Answer`.

    switches ─► at hand? ─► flight (join?) ═► prompt? ─► story ─► partial? merge ─► Answer
       │         │            │                 └ late: race against what is at hand
       │         │            └ origin.ask ─► judge ─► remember, even when nobody waits any more
       │         └ local-first, fresh copy, stale-while-revalidate
       ├ bypass: pure relay
       └ observe: pure relay, and a note of what the line would have done
     on a Failure: the policy's rungs in order ─► the reserved lane, if upstream is slow ─► its own refusal ─► unavailable

An answer is always given; trouble is a value on the way. What upstream said is judged and remembered inside the flight, once
for all who joined it; the rungs are walked by each request for itself.
"""

from __future__ import annotations

from proxy.lastgood.memory import Memory

from .answer import Answer, Source
from .at_hand.choice import AtHand
from .at_hand.sample import Sample
from .flights.asking import Asking
from .flights.pure import Pure
from .request import FlagsRequest
from .switches import Switches


class Ladder:
    """Decides where an answer comes from."""

    def __init__(
        self, *, switches: Switches, memory: Memory, at_hand: AtHand, asking: Asking, pure: Pure, sample: Sample
    ) -> None:
        self._switches = switches
        self._memory = memory
        self._at_hand = at_hand
        self._asking = asking
        self._pure = pure
        self._sample = sample

    async def answer(self, request: FlagsRequest) -> Answer:
        """Return the answer to a request; there always is one."""
        self._sample.note(request)
        mode = self._switches.of(request.project)
        if mode.bypass:
            return await self._pure.bypass(request)
        entry = self._memory.get(request.key)
        if mode.observe:
            return await self._pure.observe(request, mode, entry)
        at_hand = await self._at_hand.answer(request, entry)
        if at_hand is None:
            return await self._asking.answer(request, mode, entry)
        if at_hand.source is Source.STALE:
            self._asking.renew(request, mode)
        return at_hand
