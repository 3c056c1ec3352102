"""Where the mending of partial answers plugs into the line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from .answer import Answer
from .request import FlagsRequest
from .rungs.rung import Filled

Fill = Callable[[frozenset[str] | None], Awaitable[Sequence[Filled]]]
"""Walks the policy's rungs for these flags (None: for all, whichever those are)."""


class Mending(Protocol):
    """What a partial answer lacks, from other sources."""

    async def mend(self, request: FlagsRequest, story: Answer, fill: Fill) -> Answer:
        """Return the story with its gaps filled, or as it came."""
        ...
