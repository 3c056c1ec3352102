"""One generated test case: a definitions document and the people it is evaluated for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from .subjects.protocol import evaluate

Document: TypeAlias = "Mapping[str, Any]"
Person: TypeAlias = "Mapping[str, Any]"
"""A context as the line protocol carries it; `request`, where there is one, holds what stands beside it on the line."""


def request_of(person: Person) -> dict[str, Any]:
    """Return the line that asks about a person, all flags if its `request` does not choose some."""
    context = {name: value for name, value in person.items() if name != "request"}
    return {**evaluate(context), **person.get("request", {})}


class Case(msgspec.Struct, frozen=True):
    """A definitions document and the contexts to evaluate it for, as the line protocol carries them."""

    definitions: Document
    people: Sequence[Person]

    @property
    def flag_keys(self) -> list[str]:
        """The flags of the document, in order."""
        return [flag["key"] for flag in self.definitions["flags"]]

    def only(self, flag_key: str) -> Document:
        """Return the document reduced to one flag and the cohorts it names; fit for a report."""
        flag = next(flag for flag in self.definitions["flags"] if flag["key"] == flag_key)
        named = {
            str(leaf["value"])
            for group in flag["filters"]["groups"]
            for leaf in group["properties"]
            if leaf["type"] == "cohort"
        }
        cohorts = {key: tree for key, tree in self.definitions["cohorts"].items() if key in named}
        return {**self.definitions, "flags": [flag], "cohorts": cohorts}
