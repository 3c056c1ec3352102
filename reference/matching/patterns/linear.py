"""ASCII texts: the tree as a pattern for RE2, whose time is linear in the text whatever the pattern.

Sets are cut down to ASCII and written as numbers, so no Unicode table and no dialect of RE2's has a say in an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import re2

from .characters import Ranges, clipped_to_ascii
from .tree import Anchor, Chars, Choice, Node, Place, Repeat, Sequence

MAX_MEMORY_BYTES: Final = 8 << 20
# RE2 refuses more, counted through nested repetitions too.
_NOWHERE: Final = (-1, -1)
_NOTHING: Final = r"[^\x00-\xff]"
_PLACES: Final = {
    Place.START: r"\A",
    Place.END: r"\z",
    Place.LINE_START: "(?m:^)",
    Place.LINE_END: "(?m:$)",
    Place.WORD: r"\b",
    Place.NOT_WORD: r"\B",
}


def compile_linear(tree: Node) -> Callable[[bytes], bool] | None:
    """Compile a tree without look-around; None where RE2 declines (its limits on counts and memory)."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    try:
        compiled = re2.compile(_written(tree).encode("ascii"), options)
    except re2.error:
        return None
    return direct_search(compiled) or (lambda text: compiled.search(text) is not None)


def direct_search(compiled: object) -> Callable[[bytes], bool] | None:
    """Return a search by the engine below the library's own `search`; None where another version has none to be reached.

    The library's makes an iterator and a match object that nobody here looks at: 2.2 µs a search, three quarters of it.
    """
    match = getattr(getattr(compiled, "_regexp", None), "Match", None)
    anywhere = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)
    if match is None or anywhere is None:
        return None
    return lambda text: match(anywhere, text, 0, len(text))[0] != _NOWHERE


def _written(node: Node) -> str:
    match node:
        case Chars(ranges):
            return _set(clipped_to_ascii(ranges))
        case Sequence(parts):
            return "".join(_written(part) for part in parts)
        case Choice(alternatives):
            return "(?:" + "|".join(_written(alternative) for alternative in alternatives) + ")"
        case Repeat(item, low, high):
            return f"(?:{_written(item)}){{{low},{'' if high is None else high}}}"
        case Anchor(place):
            return _PLACES[place]
        case _:
            raise ValueError("look-around has no linear form")


def _set(ranges: Ranges) -> str:
    if not ranges:
        return _NOTHING
    return "[" + "".join(rf"\x{low:02x}-\x{high:02x}" for low, high in ranges) + "]"
