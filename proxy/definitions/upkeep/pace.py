"""When to ask again. Pure: time and draws come in.

While all is well, polls stand on a grid whose offset a project's name decides, so that projects do not ask in one burst and a
project's polls do not drift. After failures the pause doubles, is never shorter than what upstream asked for, and is jittered
upwards, so that a fleet does not come back in one burst.
"""

from __future__ import annotations

import hashlib
import math
from typing import Final

LONGEST_PAUSE_S: Final = 120.0
"""Between polls that fail: long enough to spare upstream, short enough that recovery is soon noticed."""

LONGEST_WISH_S: Final = 600.0
"""A `Retry-After` counts up to this: a mistaken one must not stop polling for a day."""

COLD_PAUSE_S: Final = 1.0
"""First pause while nothing is held at all, where each moment counts."""


def offset_s(project: str, poll_s: float) -> float:
    """Return a project's place in the interval, in [0, poll_s): the same in every process and on every machine."""
    draw = int.from_bytes(hashlib.sha256(project.encode()).digest()[:8], "big")
    return draw / 2**64 * poll_s


def next_on_grid(now: float, *, start: float, offset: float, poll_s: float) -> float:
    """Return the next instant of the grid that is at least half an interval away: no poll follows on the heels of another."""
    first = start + offset
    steps = math.ceil((now + poll_s / 2 - first) / poll_s)
    return first + max(0, steps) * poll_s


def pause_after(failures: int, *, poll_s: float, is_cold: bool, wish_s: float | None, draw: float) -> float:
    """Return the pause after so many failures in a row, in seconds.

    Args:
        failures: At least 1.
        poll_s: The project's interval.
        is_cold: Nothing is held.
        wish_s: Upstream's `Retry-After`.
        draw: The jitter, in [0, 1).
    """
    first, longest = (COLD_PAUSE_S, poll_s) if is_cold else (poll_s, max(poll_s, LONGEST_PAUSE_S))
    doubled = min(longest, math.ldexp(first, min(failures - 1, 16)))
    return max(doubled, min(wish_s or 0.0, LONGEST_WISH_S)) * (1 + draw / 2)
