"""What is remembered of answers, and where."""

from __future__ import annotations

from .section import Bytes, Section


class Memory(Section, frozen=True):
    """The remembered answers of one worker, bounded by bytes with Python's overhead counted."""

    max_bytes: Bytes = 64 * 1024 * 1024
