"""Configuration as a document: a TOML file read into tables, each value with the line it stands on.

Lines are found by a scan for table headers and `key =`, because the standard parser keeps none. A place that the scan misses
(dotted or quoted keys, inline tables) has the file alone as its origin: an origin is a help for the reader, never an input.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .problem import Problem, Problems
from .schema import Document, Place

_HEADER: Final = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\s-]+?)\s*\]")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")


class Layer:
    """One source of settings: a document and where each of its places was written."""

    def __init__(self, document: Document, lines: Mapping[Place, int], name: str) -> None:
        self.document = document
        self._lines = lines
        self._name = name

    def origin(self, place: Place) -> str:
        """Return `file:line` of a place or of the nearest table around it, else the file."""
        for length in range(len(place), 0, -1):
            if line := self._lines.get(place[:length]):
                return f"{self._name}:{line}"
        return self._name


def read_file(path: Path) -> Layer | Problems:
    """Read a TOML file; the reasons are for people: missing, unreadable, not TOML (with line and column)."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except FileNotFoundError:
        return _refused(path, "no such file; give one with --config, or start from deploy/holdfast.toml")
    except tomllib.TOMLDecodeError as error:
        return _refused(path, f"not valid TOML: {error}")
    except (OSError, UnicodeDecodeError) as error:
        return _refused(path, f"cannot be read: {type(error).__name__}")
    return Layer(document, lines_of(text), path.name)


def lines_of(text: str) -> dict[Place, int]:
    """Map each table and plain key to its line, counted from 1."""
    found: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = tuple(part.strip() for part in header[1].split("."))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1]), number)
    return found


def merged(below: Document, above: Document) -> dict[str, Any]:
    """Lay one document over another, table by table; neither is changed."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(value, Mapping) and isinstance(under, Mapping) else value
    return result


def leaves(document: Document, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every value that is not a table, with its place."""
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*place, key))
        else:
            yield (*place, key), value


def _refused(path: Path, reason: str) -> Problems:
    return Problems((Problem((), reason, str(path)),))
