"""What the contract's `GET /state` reports: events captured, events sent, and every request that carried events.

Requests that carry none (flag calls) are not listed: the contract's list is about events and their retries. Safe to call from
the SDK's own threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any


class Ledger:
    """The counts since the last reset."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._captured = self._sent = self._retries = 0
            self._error: str | None = None
            self._requests: list[dict[str, Any]] = []
            self._tries: dict[tuple[str, ...], int] = {}
            self._settled: set[str] = set()

    @property
    def sent(self) -> int:
        """Events that were delivered."""
        return self._sent

    def captured(self) -> None:
        """Count one event that the SDK took in."""
        with self._lock:
            self._captured += 1

    def failed(self, message: str) -> None:
        """Remember the last error."""
        with self._lock:
            self._error = message

    def requested(self, status: int, uuids: Sequence[str]) -> None:
        """Note one request with a batch of events; status 0: it got no answer."""
        batch = tuple(uuids)
        with self._lock:
            attempt = self._tries.get(batch, 0)
            self._tries[batch] = attempt + 1
            self._retries += attempt > 0
            self._requests.append({
                "timestamp_ms": int(self._clock() * 1000),
                "status_code": status,
                "retry_attempt": attempt,
                "event_count": len(batch),
                "uuid_list": list(batch),
            })  # fmt: skip
            if status // 100 == 2:  # noqa: PLR2004 — 2xx
                self._sent += len(set(batch) - self._settled)
                self._settled |= set(batch)
            else:
                self._error = f"status {status}" if status else "no answer"

    def state(self) -> dict[str, Any]:
        """Return the contract's answer; an event that was given up stays pending."""
        with self._lock:
            return {
                "pending_events": max(0, self._captured - self._sent),
                "total_events_captured": self._captured,
                "total_events_sent": self._sent,
                "total_retries": self._retries,
                "last_error": self._error,
                "requests_made": list(self._requests),
            }
