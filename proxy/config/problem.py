"""What is wrong with a configuration: where, why, and who said so."""

from __future__ import annotations

from msgspec import Struct

from .schema import Place, json_path


class Problem(Struct, frozen=True):
    """One fault.

    Attributes:
        place: Which setting; empty for the document as a whole.
        reason: What is wrong and what would be right; never a value.
        origin: `file:line` or the environment variable that set it.
    """

    place: Place
    reason: str
    origin: str = ""

    def __str__(self) -> str:
        said_by = f"  ({self.origin})" if self.origin else ""
        return f"{json_path(self.place)}: {self.reason}{said_by}"


class Problems(Struct, frozen=True):
    """All the faults that were found; at least one."""

    items: tuple[Problem, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.items))
