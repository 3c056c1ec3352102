"""Where judgement plugs into the line: the narrow ports, and what stands there when nothing is plugged in.

Each neutral port says yes to everything, so the line without them is the line with all of them switched off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from proxy.definitions.held import HeldSet
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept

from .answer import Answer, Whole
from .request import FlagsRequest
from .rungs.rung import Filled
from .shape import Reading

Fill = Callable[[frozenset[str] | None], Awaitable[Sequence[Filled]]]
"""Walks the policy's rungs for these flags (None: for all, whichever those are)."""


class Verdict(msgspec.Struct, frozen=True):
    """What judgement says of an answer.

    Attributes:
        is_held: It is not given on while another source has something.
        notes: For `Answer.notes`; names and values from a fixed vocabulary.
    """

    is_held: bool = False
    notes: Mapping[str, Any] = {}


BELIEVED: Final = Verdict()
HELD: Final = Verdict(is_held=True)


class Judging(Protocol):
    """Is this 200 believable?"""

    def weigh(
        self, request: FlagsRequest, whole: Whole, reading: Reading, last: Entry[Kept] | None, held: HeldSet | None
    ) -> Verdict:
        """Weigh an answer without errors against the last good one and the definitions held. Pure of waiting."""
        ...


class Surprise(Protocol):
    """Is this 401, 402 or 403 real?"""

    def weigh(self, request: FlagsRequest, status: int) -> Verdict:
        """Weigh a refusal against its controls; also told of every other status, which is a control itself."""
        ...


class Mending(Protocol):
    """What a partial answer lacks, from other sources."""

    async def mend(self, request: FlagsRequest, story: Answer, fill: Fill) -> Answer:
        """Return the story with its gaps filled, or as it came."""
        ...


class Believing:
    """Believes everything: both kinds of judgement, switched off."""

    def weigh(self, *_: object) -> Verdict:
        return BELIEVED


class Leaving:
    """Leaves partial answers as they came."""

    async def mend(self, request: FlagsRequest, story: Answer, fill: Fill) -> Answer:  # noqa: ARG002 - a port's shape
        return story
