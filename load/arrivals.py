"""When requests are to be sent, whatever the server does: an open loop.

Each user draws Poisson arrivals of its own from a seed; all users together arrive at the asked rate. A latency counts from the
intended instant, not from the moment a busy user got round to sending: otherwise a server that freezes looks fast, because
users that wait do not send (coordinated omission).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def arrivals(user: int, *, rate: float, users: int, duration_s: float, seed: int) -> Iterator[float]:
    """Yield one user's intended send times, in seconds from the start of the run, ascending, below `duration_s`.

    Args:
        user: The user's number, from 0.
        rate: Requests a second of all users together.
        users: How many there are.
        duration_s: Length of the run.
        seed: The same seed gives the same schedule.
    """
    random = Random(f"{seed}:{user}")  # noqa: S311 — repeatable by design
    at = random.expovariate(rate / users)
    while at < duration_s:
        yield at
        at += random.expovariate(rate / users)
