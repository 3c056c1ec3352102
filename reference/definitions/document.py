"""From bytes to a JSON object that is safe to walk: well-formed, not nested too deep, integers exact.

Refuses what is no JSON object or nests deeper than `MAX_NESTING`. Numbers and strings that JSON text can spell but the
service cannot read (NaN, `1e999`, a lone surrogate) pass here: `blemish` finds them later, flag by flag.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reference.json import Json, JsonObject

from .errors import DefinitionsError

MAX_NESTING: Final = 256
"""Arrays and objects inside each other, the document included. The deepest cohort that counts (64 groups) needs 131."""

MAX_INTEGER_DIGITS: Final = 4000
"""Longer integers are read as floats: Python refuses them (its limit is 4 300), and no double can hold them either."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def read_document(document: bytes | str | JsonObject) -> JsonObject:
    """Return the document as a JSON object.

    Raises:
        DefinitionsError: Not UTF-8, not JSON, not an object, or nested deeper than `MAX_NESTING`.
    """
    root: object = decode(document) if isinstance(document, bytes | bytearray | memoryview | str) else document
    if not isinstance(root, Mapping):
        raise DefinitionsError("$", "must be a JSON object")
    if nests_deeper_than(root, MAX_NESTING):
        raise DefinitionsError("$", f"nests deeper than {MAX_NESTING} levels")
    return root


def decode(document: bytes | bytearray | memoryview | str) -> Json:
    """Parse JSON text.

    Raises:
        DefinitionsError: Not UTF-8 or not JSON.
    """
    try:
        text = document if isinstance(document, str) else str(document, "utf-8")
        decoded: Json = json.loads(text, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise DefinitionsError("$", "is not UTF-8") from error
    except RecursionError as error:
        raise DefinitionsError("$", f"nests deeper than {MAX_NESTING} levels") from error
    except ValueError as error:
        position = getattr(error, "pos", 0)
        raise DefinitionsError("$", f"is not JSON (at character {position})") from error
    return decoded


def nests_deeper_than(value: object, limit: int) -> bool:
    """Tell whether containers stand more than `limit` deep.

    Goes level by level, so that nothing recurses and a part that is shared counts once a level.
    """
    level = [value] if _is_container(value) else []
    for _ in range(limit):
        below = {id(member): member for container in level for member in _members(container) if _is_container(member)}
        level = list(below.values())
        if not level:
            return False
    return bool(level)


def blemish(value: Json, path: str) -> tuple[str, str] | None:
    """Find the first scalar that PostHog's parser would refuse: its path and what is wrong; None when there is none."""
    stack = [(path, value)]
    while stack:
        place, member = stack.pop()
        wrong = _wrong_scalar(member)
        if wrong is not None:
            return place, wrong
        stack.extend(_children(place, member))
    return None


def is_text(text: str) -> bool:
    """Tell whether a string is well-formed Unicode, which UTF-8 can carry."""
    return text.isascii() or _LONE_SURROGATE.search(text) is None


def _wrong_scalar(value: Json) -> str | None:
    if isinstance(value, str):
        return None if is_text(value) else "contains a lone surrogate"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    return None


def _children(place: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield place, name  # names are strings to be looked at too, and are not quoted in a path when malformed
            yield f"{place}.{name}" if is_text(name) else place, member
    elif _is_container(value):
        for index, member in enumerate(value):  # type: ignore[arg-type]  # _is_container says it is a sequence
            yield f"{place}[{index}]", member


def _is_container(value: object) -> bool:
    if isinstance(value, str | int | float | None):  # the common kinds first: asking an abstract class is slow
        return False
    return isinstance(value, Mapping | Sequence) and not isinstance(value, bytes)


def _members(container: object) -> Iterator[object]:
    if isinstance(container, Mapping):
        yield from container.values()
    elif isinstance(container, Sequence):
        yield from container


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else float(digits)
