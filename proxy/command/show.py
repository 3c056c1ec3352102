"""The effective configuration for people: one line a setting, with its value and who set it; private values redacted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.config.load import Loaded
from proxy.config.schema import Leaf, Named, Node, Place, Table, describe, json_path
from proxy.config.secret import REDACTED
from proxy.config.settings import Settings

_LONG: Final = 32  # values longer than this do not push everyone's origin to the right


def shown(loaded: Loaded) -> str:
    """Return the whole configuration as text, aligned: `$.listen.port = 9000   # env HOLDFAST_LISTEN__PORT`."""
    rows = [(json_path(place), value, loaded.origins.get(place, "default")) for place, value in _rows(loaded)]
    width = max(len(path) + len(value) for path, value, _ in rows if len(value) < _LONG) + 3
    lines = [f"{path} = {value}".ljust(width + 2) + f"# {origin}" for path, value, origin in rows]
    return "\n".join([f"# configuration {loaded.digest}", *lines])


def _rows(loaded: Loaded) -> Iterator[tuple[Place, str]]:
    yield from _walk(msgspec.to_builtins(loaded.settings), describe(Settings), ())


def _walk(value: Any, node: Node, place: Place) -> Iterator[tuple[Place, str]]:
    match node:
        case Leaf(is_private=True):
            yield place, REDACTED
        case Leaf():
            yield place, msgspec.json.encode(value).decode()
        case _ if value is None:
            yield place, "null"
        case Table(fields=fields):
            for key, each in fields.items():
                yield from _walk(value[key], each, (*place, key))
        case Named(each=each):
            for name in value:
                yield from _walk(value[name], each, (*place, name))
