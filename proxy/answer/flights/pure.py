"""Pure relay: what upstream says, byte for byte. `bypass` is that and nothing else; `observe` decides all and gives none of it.

There the one exchange that the client's answer comes from is judged and remembered as ever. Where the line would have answered
from, and why, goes into the answer's notes and into counters. Upstream sees exactly what it would see without us.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from proxy.answer.answer import Answer, Failure, Forward, Source, Trouble, Whole
from proxy.answer.at_hand.choice import AtHand
from proxy.answer.request import FlagsRequest, ProjectName, UpstreamName
from proxy.answer.shape import unavailable
from proxy.answer.switches import Mode
from proxy.config.settings.policy import LONGEST_EXCHANGE_S
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept
from proxy.upstream.origin import Origin

from .asking import Asking
from .trip import Trip


class Observed:
    """What the line would have done where it only watched.

    Attributes:
        answers: By project, the source it would have answered from, and the trouble that would have led there.
        differing: How often the client would have got another status or body.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[ProjectName, Source, Trouble | None]] = Counter()
        self.differing: Counter[ProjectName] = Counter()


class Pure:
    """Relays."""

    def __init__(
        self, origins: Mapping[UpstreamName, Origin], at_hand: AtHand, asking: Asking, trip: Trip, seen: Observed
    ) -> None:
        self._origins = origins
        self._at_hand = at_hand
        self._asking = asking
        self._seen = seen
        self._trip = trip

    async def bypass(self, request: FlagsRequest) -> Answer:
        """Return what upstream says, whatever it is; the one answer of ours is for when it says nothing."""
        return _relayed(await self._origins[request.upstream].relay(_patient(request)))

    async def observe(self, request: FlagsRequest, mode: Mode, entry: Entry[Kept] | None) -> Answer:
        """Return the same, and note what the line would have given."""
        at_hand = await self._at_hand.answer(request, entry)
        departure = self._trip.depart()
        said, tried = await self._origins[request.upstream].observe(_patient(request))
        wanted = await self._asking.after(request, mode, entry, tried, departure)
        return self._noted(request, _relayed(said), at_hand or wanted)

    def _noted(self, request: FlagsRequest, given: Answer, would: Answer) -> Answer:
        trouble = None if would.failure is None else would.failure.trouble
        differs = (given.content.status, given.content.body) != (would.content.status, would.content.body)
        self._seen.answers[request.project, would.source, trouble] += 1
        self._seen.differing[request.project] += differs
        told = {"source": would.source, "trouble": trouble, "status": would.content.status, "differs": differs, **would.notes}
        return replace(given, notes={"would": told})


def _relayed(said: Whole | Failure) -> Answer:
    if isinstance(said, Failure):
        return Answer(content=unavailable(), source=Source.NONE, failure=said, forward=Forward.BYPASS)
    return Answer(content=said, source=Source.UPSTREAM)


def _patient(request: FlagsRequest) -> FlagsRequest:
    """Return the request with all the time an exchange may have: it is for its caller to lose patience."""
    return replace(request, deadline=request.started + LONGEST_EXCHANGE_S)
