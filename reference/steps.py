"""Long work as a generator: it yields between pieces, so that a caller who must not block can do something else meanwhile.

The yields carry nothing; the result is the generator's return value. How long to go on between pauses is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]


def finish(steps: Steps[T]) -> T:
    """Do all the work at once and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
