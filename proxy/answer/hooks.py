"""Where judgement plugs into the line: the narrow ports, and what stands there when nothing is plugged in.

Each neutral port says yes to everything, so the line without them is the line with all of them switched off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from .answer import Answer
from .request import FlagsRequest
from .rungs.rung import Filled

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
    """Believes every refusal."""

    def weigh(self, *_: object) -> Verdict:
        return BELIEVED


class Leaving:
    """Leaves partial answers as they came."""

    async def mend(self, request: FlagsRequest, story: Answer, fill: Fill) -> Answer:  # noqa: ARG002 - a port's shape
        return story
