"""What requests leave behind: continuity identities, and what was received. Survives a reload of the file, not the process.

One owner, one thread: state changes are synchronous.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import msgspec

KEPT_CALLS: Final = 10_000


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it arrived, for tests to look at."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: str


class Memory:
    """Stored hash-key overrides and the record of what was received."""

    def __init__(self) -> None:
        self._overrides: dict[tuple[int, str], dict[str, str]] = {}
        self.events: deque[Any] = deque(maxlen=KEPT_CALLS)
        self.calls: deque[Received] = deque(maxlen=KEPT_CALLS)

    def overrides(self, team: int, person: str) -> dict[str, str]:
        """Give a person's stored identities, flag key → hash key."""
        return dict(self._overrides.get((team, person), {}))

    def keep_identity(self, team: int, person: str, hash_key: str, *, flags: Iterable[str]) -> None:
        """Store an identity for the flags that have none yet; what is stored is never changed (contract §5.9)."""
        stored = self._overrides.setdefault((team, person), {})
        for flag in flags:
            stored.setdefault(flag, hash_key)
