"""How large a pattern is for the engines that compile it, and how often the service's engine may backtrack over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from .characters import LAST_ASCII, Ranges
from .tree import Anchor, Chars, Choice, Look, Node, Place, Repeat, Sequence

# The service's limit per search. What cannot reach it is a matter of logic alone; what may reach it is not answered.
BACKTRACK_LIMIT: Final = 10_000


# Bytes of one set in the service's compiled program: 64 for each range, more where it needs several bytes of UTF-8. Measured
# to be too high rather than too low: of `\w` 200 fit into its 10 MiB and 300 do not, of `\d` 2000, of `.` 5000.
_RANGE_BYTES: Final = 64
_MULTIBYTE_BYTES: Final = 1500


def compiled_bytes(node: Node) -> int:
    """Estimate, from above, what the service's engine needs for the pattern with all repetitions written out."""
    return _summed(
        node,
        lambda ranges: _RANGE_BYTES * (1 + len(ranges)) + (_MULTIBYTE_BYTES if ranges and ranges[-1][1] > LAST_ASCII else 0),
    )


def sets(node: Node) -> int:
    """Return the number of character sets and other leaves after all repetitions are written out."""
    return _summed(node, lambda _ranges: 1)


def _summed(node: Node, of_set: Callable[[Ranges], int]) -> int:
    match node:
        case Sequence(parts) | Choice(parts):
            return 1 + sum(_summed(part, of_set) for part in parts)
        case Repeat(item, low, high):
            return 1 + _summed(item, of_set) * max(low + 1 if high is None else high, 1)
        case Look(item):
            return 1 + _summed(item, of_set)
        case Chars(ranges):
            return of_set(ranges)
        case _:
            return 1


def backtracks(node: Node) -> bool:
    """Say whether the service searches for this with its backtracking engine, not with its linear one."""
    match node:
        case Sequence(parts):
            return any(backtracks(part) for part in parts)
        case Choice(alternatives):
            return any(backtracks(alternative) for alternative in alternatives)
        case Repeat(item):
            return backtracks(item)
        case Anchor(place):
            return place in {Place.WORD, Place.NOT_WORD}
        case Chars():
            return False
        case Look():
            return True


def looks_around(node: Node) -> bool:
    """Say whether there is a look-around in it."""
    match node:
        case Sequence(parts):
            return any(looks_around(part) for part in parts)
        case Choice(alternatives):
            return any(looks_around(alternative) for alternative in alternatives)
        case Repeat(item):
            return looks_around(item)
        case _:
            return isinstance(node, Look)


# Two ways through an item, so many times over, are more than the limit.
_MAX_DOUBLINGS: Final = 16


class _Effort(NamedTuple):
    """At most so many ways through a node from one start, and so many branches remembered on them."""

    paths: int
    branches: int


def stays_below_limit(node: Node, length: int) -> bool:
    """Say whether no search in a text of `length` characters can reach the service's backtrack limit."""
    return (length + 1) * (1 + _effort(node, length).branches) < BACKTRACK_LIMIT


def _effort(node: Node, length: int) -> _Effort:
    match node:
        case Sequence(parts):
            return _in_sequence([_effort(part, length) for part in parts])
        case Choice(alternatives):
            efforts = [_effort(alternative, length) for alternative in alternatives]
            return _capped(sum(e.paths for e in efforts), len(efforts) - 1 + sum(e.branches for e in efforts))
        case Repeat(item, low, high):
            return _repeated(_effort(item, length), low, low + length + 1 if high is None else high)
        case Look(item, _, negative):
            return _looking(item, length, negative=negative)
        case _:
            return _Effort(1, 0)


def _in_sequence(efforts: list[_Effort]) -> _Effort:
    paths, branches = 1, 0
    for effort in efforts:
        branches += paths * effort.branches
        paths = min(paths * effort.paths, BACKTRACK_LIMIT)
    return _capped(paths, branches)


def _repeated(item: _Effort, low: int, high: int) -> _Effort:
    """Each round past the lowest number remembers that it could have been left out."""
    optional = high - low
    if item.paths == 1:
        return _capped(optional + 1, high * item.branches + optional)
    if high > _MAX_DOUBLINGS:
        return _capped(BACKTRACK_LIMIT, BACKTRACK_LIMIT)
    paths, branches, entered = 0, 0, 1
    for done in range(high):
        is_optional = done >= low
        paths += entered * is_optional
        branches += entered * (item.branches + is_optional)
        entered *= item.paths
    return _capped(paths + entered, branches)


def _looking(item: Node, length: int, *, negative: bool) -> _Effort:
    """A look-around over plain syntax is one call of the linear engine; otherwise its branches stay open behind it."""
    inner = _effort(item, length) if backtracks(item) else _Effort(1, 0)
    return _capped(1, inner.branches + 1) if negative else inner


def _capped(paths: int, branches: int) -> _Effort:
    return _Effort(min(paths, BACKTRACK_LIMIT), min(branches, BACKTRACK_LIMIT))
