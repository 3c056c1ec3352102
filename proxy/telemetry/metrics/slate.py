"""Where counts live: cells in memory that the whole family shares, a slate for each process, so that no death loses a count.

The memory is made before the first process and inherited as a descriptor (no file, no disk that a store could wait for). A
slate has one writer at a time, told by a record lock that dies with it; whoever takes a dead process's slate goes on counting
from what stands there, so a total never goes backwards, not by a `kill -9` either. Readers only look. A cell is a double,
aligned, written in one store.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from .instrument import Instrument, Kind

SLATE_BYTES: Final = 512 * 1024
"""Address space; memory is used as series appear."""
_WORDS: Final = 8  # of 8 bytes: magic, bytes of the directory, cells used, beat, …
_DIRECTORY: Final = _WORDS * 8
_CELLS: Final = SLATE_BYTES // 2
_MAGIC: Final = float(0x40_1D_FA_57)
_SCRATCH: Final = 64  # cells that nobody reads: for series that found no room
_LENGTH, _USED, _BEAT, _SINCE = 1, 2, 3, 4
_NOTHING: Final = float("nan")
OTHER: Final = "other"
"""Stands for the labels of a series that found no room of its own."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """One entry of a slate's directory: which series it is and where its cells are."""

    name: str
    labels: tuple[str, ...]
    at: int
    width: int


Series: TypeAlias = list[tuple[Place, list[float]]]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Place).decode


def slates_for(workers: int) -> int:
    """Return how many slates an instance has: one a process, and as many for processes of two lives that overlap."""
    return 2 * (workers + 1)


def make_ground(workers: int) -> int:
    """Make the family's shared memory; return its descriptor, ready to be inherited."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("holdfast-metrics", 0)
    else:  # macOS
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, slates_for(workers) * SLATE_BYTES)
    os.set_inheritable(descriptor, True)
    return descriptor


class Slate:
    """One process's counts, to be written.

    Attributes:
        cells: What `place` gives indices of; a reset or a negative step is never written to a counter.
        is_shared: Others can read it; False: a slate of one's own (tests, or no memory to share).
        overflows: Series that found no room.
    """

    def __init__(self, memory: Any, *, is_shared: bool) -> None:
        self.is_shared = is_shared
        self.overflows = 0
        self._memory = memory
        self._words = memoryview(memory).cast("d")
        self.cells = self._words[_CELLS // 8 :]
        self._places = {(place.name, place.labels): place.at for place in _directory(memory, self._words)}
        if self._words[0] != _MAGIC:
            self._words[_USED] = float(_SCRATCH)
            self._words[_LENGTH] = 0.0
            self._words[_SINCE] = time.time()
            self._words[0] = _MAGIC

    def place(self, instrument: Instrument, labels: tuple[str, ...] = ()) -> int:
        """Return the index of the first cell of a series, made on first use."""
        known = self._places.get((instrument.name, labels))
        if known is not None:
            return known
        start = _NOTHING if instrument.kind is Kind.GAUGE else 0.0
        at = self._make(Place(instrument.name, labels, int(self._words[_USED]), instrument.width), start)
        if at is None:
            self.overflows += 1
            others = (OTHER,) * len(labels)
            at = 0 if labels == others else self.place(instrument, others)
        self._places[instrument.name, labels] = at
        return at

    def places(self) -> list[tuple[tuple[str, tuple[str, ...]], int]]:
        """Return every series, by name and labels, with the index of its first cell."""
        return list(self._places.items())

    def show(self, gauge: Instrument, values: Mapping[tuple[str, ...], float]) -> None:
        """Write a gauge's values; labels that have none any more are emptied."""
        for labels, value in values.items():
            self.cells[self.place(gauge, labels)] = value
        for (name, labels), at in self._places.items():
            if name == gauge.name and labels not in values:
                self.cells[at] = _NOTHING

    def beat(self, now: float) -> None:
        """Say that the gauges are as of `now`, on the machine's monotonic clock; 0: that they say nothing any more."""
        self._words[_BEAT] = now

    def _make(self, place: Place, start: float) -> int | None:
        entry = _encode(place) + b"\n"
        length = int(self._words[_LENGTH])
        if place.at + place.width > len(self.cells) or _DIRECTORY + length + len(entry) > _CELLS:
            return None
        self.cells[place.at] = start
        memoryview(self._memory)[_DIRECTORY + length : _DIRECTORY + length + len(entry)] = entry
        self._words[_USED] = float(place.at + place.width)
        self._words[_LENGTH] = float(length + len(entry))  # last: from here on readers see the entry
        return place.at


class Ground:
    """The family's shared memory, mapped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._memory = memmap = mmap.mmap(descriptor, self._size)
        self._view = memoryview(memmap)

    def claim(self, index: int) -> Slate:
        """Take the slate with this number, or its double where another process still has it, or a private one."""
        count = self._size // SLATE_BYTES
        for number in (index, index + count // 2):
            start = number * SLATE_BYTES
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, start)
            except OSError:
                continue
            return Slate(self._view[start : start + SLATE_BYTES], is_shared=True)
        return private_slate()

    def since(self) -> float:
        """Return when the first slate was begun, in Unix seconds: since when totals are counted."""
        all_words = (self._view[at : at + _DIRECTORY].cast("d") for at in range(0, self._size, SLATE_BYTES))
        return min((words[_SINCE] for words in all_words if words[0] == _MAGIC), default=0.0)

    def read(self, *, only: int | None = None) -> Iterator[tuple[int, float, Series]]:
        """Yield for each slate that was ever used (or `only` this one's): whose it is, its beat, each series with its cells."""
        half = self._size // SLATE_BYTES // 2
        for number in range(half * 2) if only is None else (only, only + half):
            memory = self._view[number * SLATE_BYTES : (number + 1) * SLATE_BYTES]
            words = memory.cast("d")
            cells = words[_CELLS // 8 :]
            places = _directory(memory, words)
            if places:
                yield number % half, words[_BEAT], [(place, list(cells[place.at : place.at + place.width])) for place in places]


def private_slate() -> Slate:
    """Return a slate that nobody else reads."""
    return Slate(bytearray(SLATE_BYTES), is_shared=False)


def _directory(memory: Any, words: memoryview[float]) -> list[Place]:
    if words[0] != _MAGIC:
        return []
    text = bytes(memory[_DIRECTORY : _DIRECTORY + int(words[_LENGTH])])
    return [_decode(line) for line in text.splitlines()]
