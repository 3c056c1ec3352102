"""How long an open breaker stays open: longer with each trip in a row, jittered, and as long as upstream asks for.

`Retry-After` is obeyed up to `retry_after_max_s`: a service that names an hour is asked again all the same.
"""

from __future__ import annotations

from random import Random
from typing import Final

from proxy.config.settings import Breaker

JITTER: Final = 0.2
"""Periods vary by this share, so that workers and machines do not probe in step."""


class Period:
    """The open periods of one breaker."""

    def __init__(self, settings: Breaker, *, rng: Random) -> None:
        self._settings = settings
        self._rng = rng
        self._in_row = 0
        self._not_before = 0.0

    def ask_for(self, retry_after_s: float, *, now: float) -> None:
        """Take note of what a failed answer asked for."""
        self._not_before = max(self._not_before, now + min(retry_after_s, self._settings.retry_after_max_s))

    def start(self, now: float) -> float:
        """Return the length of the period that begins now, in seconds."""
        settings, draw = self._settings, self._rng.random()
        own_s = min(settings.open_s * 2.0 ** min(self._in_row, 20), settings.open_max_s) * (1.0 - JITTER * draw)
        asked_s = min((self._not_before - now) * (1.0 + JITTER * draw), settings.retry_after_max_s)
        self._in_row += 1
        return max(own_s, asked_s)

    def calm(self) -> None:
        """Begin with short periods again."""
        self._in_row = 0
