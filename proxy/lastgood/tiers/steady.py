"""A wall clock that never goes back while the process lives, so that a step of the machine's never makes an answer younger."""

from __future__ import annotations

from proxy.clock import Clock


class SteadyWall:
    """Unix seconds: the machine's, or, after that stepped back, what it would be had it not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.wall()
        self._read_at = clock.monotonic()

    def __call__(self) -> float:
        """Return the time."""
        now = self._clock.monotonic()
        self._wall = max(self._clock.wall(), self._wall + now - self._read_at)
        self._read_at = now
        return self._wall
