"""The environment overlay: `HOLDFAST_LISTEN__PORT=9000` sets `listen.port`.

A double underscore steps into a table. Strings are taken as they stand, everything else is written as in TOML
(`HOLDFAST_TRUSTED_PROXIES='["10.0.0.0/8"]'`). An unknown `HOLDFAST_` variable is an error, except `HOLDFAST_CONFIG` (the file)
and those that hold a secret which the configuration names. A name with a hyphen cannot be reached from most shells.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .document import leaves
from .problem import Problem
from .schema import Document, Leaf, Named, Node, Place, Table

PREFIX: Final = "HOLDFAST_"
CONFIG_VARIABLE: Final = "HOLDFAST_CONFIG"
_STEP: Final = "__"


def overlay(
    environ: Mapping[str, str], *, schema: Table, beneath: Document
) -> tuple[dict[str, Any], dict[Place, str], list[Problem]]:
    """Return the overlay as a document, which variable set each place, and what is wrong with the rest.

    `beneath` is the file's document: it says which variables are the homes of secrets.
    """
    document: dict[str, Any] = {}
    origins: dict[Place, str] = {}
    unknown: list[str] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name != CONFIG_VARIABLE):
        place = place_of(variable)
        leaf = _leaf_at(schema, place)
        if leaf is None:
            unknown.append(variable)
            continue
        _put(document, place, _value(environ[variable], leaf))
        origins[place] = f"env {variable}"
    homes = _secret_variables((beneath, document))
    return document, origins, [_stranger(variable, schema) for variable in unknown if variable not in homes]


def place_of(variable: str) -> Place:
    """Return the place that a variable names."""
    return tuple(variable.removeprefix(PREFIX).lower().split(_STEP))


def variable_of(place: Place) -> str:
    """Return the variable that sets a place."""
    return PREFIX + _STEP.join(place).upper()


def _leaf_at(node: Node, place: Place) -> Leaf | None:
    for step in place:
        match node:
            case Table(fields=fields) if step in fields:
                node = fields[step]
            case Named(each=each) if step:
                node = each
            case _:
                return None
    return node if isinstance(node, Leaf) else None


def _value(text: str, leaf: Leaf) -> Any:
    """Read a value as TOML would; what TOML cannot read stays text, and the check of its type says what was expected."""
    if leaf.is_text:
        return text
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _put(document: dict[str, Any], place: Place, value: Any) -> None:
    for step in place[:-1]:
        document = document.setdefault(step, {})
    document[place[-1]] = value


def _secret_variables(documents: Iterable[Document]) -> set[str]:
    """Return the variables named as `env` of a secret."""
    return {
        value for document in documents for place, value in leaves(document) if place[-1] == "env" and isinstance(value, str)
    }


def _stranger(variable: str, schema: Table) -> Problem:
    known = [variable_of(place) for place in _places(schema)]
    close = difflib.get_close_matches(variable, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return Problem(place_of(variable), f"{variable} names no setting{hint}", f"env {variable}")


def _places(node: Node, place: Place = ()) -> list[Place]:
    match node:
        case Leaf():
            return [place]
        case Table(fields=fields):
            return [found for key, each in fields.items() for found in _places(each, (*place, key))]
        case Named(each=each):
            return _places(each, (*place, "default"))
