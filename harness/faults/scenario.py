"""A scenario: phases, where they come from, what a proxy is expected to do, and what ours does today.

`Today` is no prose: the fault lane plays every scenario and holds the proxy to exactly these values, and the page about outages
is written from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .schedule import Phase

UNAVAILABLE: Final = 503


class Known(StrEnum):
    """What a caller gets whose question was answered before the fault."""

    REMEMBERED = "remembered"
    FILLED = "filled"
    AS_SAID = "as said"
    LIVE = "live"


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """What the proxy does today.

    Attributes:
        known: Answer to a question asked before; REMEMBERED is the last good answer, labelled stale; FILLED is the
            service's own with what it lacks from elsewhere; AS_SAID is relayed as the
            service said it; LIVE is the true answer.
        stranger: Status of the answer to a question never asked before, while the breaker is closed.
        trouble: The word in `Proxy-Status`; "" where the proxy sees no failure.
        trips: The breaker opens, so that the service is left alone.
        note: What else to know.
    """

    known: Known
    stranger: Annotated[int, Meta(ge=200, le=599)]
    trouble: str = ""
    trips: bool = False
    note: str = ""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One outage or fault by name.

    Attributes:
        id: Its name, everywhere.
        saw: What callers saw.
        source: The row of the incident list, or its sentence of further faults.
        phases: What happens when, in the outage's own time.
        expected: What the resilience engine owes its callers.
        today: What holds today.
    """

    id: str
    saw: str
    source: str
    phases: tuple[Phase, ...]
    expected: str
    today: Today

    @property
    def duration_s(self) -> float:
        """From the first fault to the end of the last phase."""
        return sum(phase.duration_s for phase in self.phases)

    @property
    def is_resolvable(self) -> bool:
        """The service's name resolves throughout, so that a relay alone can play it."""
        return all(phase.is_resolvable for phase in self.phases)

    @property
    def worst(self) -> Phase:
        """The first phase in which anything goes wrong."""
        return next(phase for phase in self.phases if not phase.is_calm)


def failing(trouble: str, *, stranger: int = UNAVAILABLE, trips: bool = True, note: str = "") -> Today:
    """Say that the failure is seen, known callers get the remembered answer, and by default the breaker opens."""
    return Today(known=Known.REMEMBERED, stranger=stranger, trouble=trouble, trips=trips, note=note)


def held(trouble: str, *, stranger: int = 200, note: str = "") -> Today:
    """Say that known callers get the remembered answer and strangers what is said; the service is asked all the while."""
    return Today(known=Known.REMEMBERED, stranger=stranger, trouble=trouble, note=note)


def filled(*, stranger: int = 200, note: str = "") -> Today:
    """Say that a partial answer is given, with what it lacks filled for known callers and left out for strangers."""
    return Today(known=Known.FILLED, stranger=stranger, trouble="partial", note=note)


def relayed(*, stranger: int = 200, note: str = "") -> Today:
    """Say that nothing is noticed and everybody gets what the service says."""
    return Today(known=Known.AS_SAID, stranger=stranger, note=note)
