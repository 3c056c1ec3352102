"""The words of a breaker: where it stands, what brought it there, and the leave it gives."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """The three states, as metrics and headers spell them."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(StrEnum):
    """Why a breaker last opened."""

    RATE = "rate"
    CONSECUTIVE = "consecutive"
    SLOW = "slow"
    PROBE = "probe"
    FORCED = "forced"


class Permit(msgspec.Struct, frozen=True, gc=False):
    """Leave to ask upstream once; its outcome goes back to who gave it.

    Attributes:
        generation: The breaker's stretch of time it belongs to; an outcome of an earlier one changes nothing.
        is_probe: It is the one that decides whether a half-open breaker closes.
        serial: Its number among the calls under way.
        project: The project's own leave, where the project has a breaker.
    """

    generation: int
    is_probe: bool
    serial: int = 0
    project: Permit | None = None
