"""Runs long work in slices on the event loop, so that no request waits longer for it than for a slice.

Threads would not help: the work is Python, and whoever runs it holds the interpreter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_S: Final = 0.001
"""Work between two pauses; one piece of it may take a little longer. The promise is never to hold the loop for 5 ms."""


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Return what the generator returns, letting others run whenever a slice is used up. Cancelled, it stops between pieces."""
    now = asyncio.get_running_loop().time
    until = now() + SLICE_S
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        if now() >= until:
            await asyncio.sleep(0)
            until = now() + SLICE_S
