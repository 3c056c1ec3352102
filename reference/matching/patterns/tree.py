"""The syntax tree of a pattern: what is left when greediness, groups and names, which no yes-or-no answer sees, are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .characters import Ranges


class Place(Enum):
    """A place between two characters."""

    START = "start of text"
    END = "end of text"
    LINE_START = "start of a line"
    LINE_END = "end of a line"
    WORD = "word boundary"
    NOT_WORD = "no word boundary"


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set.

    Attributes:
        ranges: The set, over all of Unicode.
        ascii_only: The set is right for ASCII characters only: case folding of other ones is not modelled.
    """

    ranges: Ranges
    ascii_only: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other; no parts match the empty text."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of the alternatives."""

    alternatives: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times the item; no `high` means any number."""

    item: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that must be here."""

    place: Place


@dataclass(frozen=True, slots=True)
class Look:
    """An assertion that the item matches (or, negative, does not) from here on, or up to here."""

    item: Node
    ahead: bool
    negative: bool


Node: TypeAlias = "Chars | Sequence | Choice | Repeat | Anchor | Look"
