"""A search's state as a file that survives whatever ends the process, and what a search may hold in memory.

The file is replaced as a whole, never written in place: whoever reads it finds a state of some moment, also after a kill.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from .cause import Cause
from .state import Finding, State

EVERY_S: Final = 2.0
ROUGH_BYTES: Final = 4 * 1024 * 1024
FINDINGS_BYTES: Final = 64 * 1024 * 1024
_ENTRY_BYTES: Final = 1_000
"""A cause in memory, its texts counted apart."""


class Journal:
    """Leaves the state in a file: at once when something was found, every few seconds otherwise."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._written_at = clock()
        self._findings = 0

    def note(self, state: State) -> None:
        """Take notice of a batch's end."""
        if len(state.findings) == self._findings and self._clock() - self._written_at < EVERY_S:
            return
        self.write(state)

    def write(self, state: State) -> None:
        """Replace the file."""
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.next")
        beside.write_bytes(msgspec.json.encode(state))
        beside.replace(self._file)
        self._written_at, self._findings = self._clock(), len(state.findings)


class Room:
    """How much a search remembers, in bytes; past it the oldest rough causes go, and new findings are only counted."""

    def __init__(self, state: State, *, rough_bytes: int = ROUGH_BYTES, findings_bytes: int = FINDINGS_BYTES) -> None:
        self._state = state
        self._rough_left = rough_bytes - sum(_weight(text) for text in state.rough)
        self._findings_left = findings_bytes - sum(_size(finding) for finding in state.findings)

    def remember_rough(self, rough: str, cause: Cause) -> None:
        """Remember what a rough cause was shrunk to."""
        if rough not in self._state.rough:
            self._rough_left -= _weight(rough)
        self._state.rough[rough] = cause
        while self._rough_left < 0 and len(self._state.rough) > 1:
            oldest = next(iter(self._state.rough))
            del self._state.rough[oldest]
            self._rough_left += _weight(oldest)

    def keep(self, finding: Finding) -> bool:
        """Keep a finding; False where there is no room, and then it is counted."""
        size = _size(finding)
        if size > self._findings_left:
            self._state.crowded_out += 1
            return False
        self._findings_left -= size
        self._state.findings.append(finding)
        return True


def _weight(rough: str) -> int:
    return len(rough) + _ENTRY_BYTES


def _size(finding: Finding) -> int:
    return len(msgspec.json.encode(finding))
