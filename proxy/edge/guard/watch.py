"""Two stop-watches, pure: a request body that does not arrive, and an answer that is not taken.

They are fed by the sweep (`proxy.edge.server`), never by the request itself, so a well-behaved request costs nothing.
A body that we hold back ourselves (back-pressure) is not the client's fault and its clock stands still.
"""

from __future__ import annotations

from typing import Final

SLOWEST_UPLOAD_BYTES_PER_S: Final = 1024
"""Below this average a streamed upload is a drip, not a slow phone."""


class BodyWatch:
    """How long a request body has kept us waiting."""

    __slots__ = ("_fed", "_idle_s", "_last", "_waited_s")

    def __init__(self, fed_bytes: int, now: float) -> None:
        self._fed = fed_bytes
        self._last = now
        self._waited_s = 0.0
        self._idle_s = 0.0

    def is_overdue(self, fed_bytes: int, *, now: float, is_held: bool, is_streamed: bool, timeout_s: float) -> bool:
        """Note the bytes fed so far and tell whether the body's time is up.

        A whole body has `timeout_s` in all. A streamed one may pause that long, and its average must stay above the slowest
        upload we call one.
        """
        passed, self._last = now - self._last, now
        if is_held:
            return False
        self._waited_s += passed
        self._idle_s = 0.0 if fed_bytes > self._fed else self._idle_s + passed
        self._fed = fed_bytes
        if not is_streamed:
            return self._waited_s > timeout_s
        return self._idle_s > timeout_s or self._waited_s > timeout_s + fed_bytes / SLOWEST_UPLOAD_BYTES_PER_S


class WriteWatch:
    """How long a client has taken nothing of what we have for it."""

    __slots__ = ("_since", "_unsent")

    def __init__(self, unsent_bytes: int, now: float) -> None:
        self._unsent = unsent_bytes
        self._since = now

    def is_overdue(self, unsent_bytes: int, *, now: float, timeout_s: float) -> bool:
        """Note what still waits in our buffer and tell whether it has not shrunk for too long."""
        if unsent_bytes < self._unsent:
            self._since = now
        self._unsent = unsent_bytes
        return now - self._since > timeout_s
