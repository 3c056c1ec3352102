"""The values beside a filter, told apart: those it holds of, and those it does not, as the reference has it.

Where nothing sent is on the wanted side (`is_not_set` holds of nobody who carries the property), the property is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from reference.context import Context
from reference.definitions.parse import parse_definitions
from reference.evaluate import compile_definitions

from .values import beside


class Sides:
    """Values by filter and side; each filter is looked at once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[bytes, tuple[tuple[Any, ...], tuple[Any, ...]]] = {}

    def of(self, leaf: Mapping[str, Any], *, holds: bool) -> tuple[Any, ...]:
        """Return the values that a filter holds of, or those that it does not."""
        plain = {name: leaf[name] for name in ("key", "operator", "value") if name in leaf}
        text = msgspec.json.encode(plain)
        if text not in self._known:
            self._known[text] = self._told(plain)
        return self._known[text][0 if holds else 1]

    def all(self, leaf: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return all values to try."""
        return (*self.of(leaf, holds=True), *self.of(leaf, holds=False))

    def _told(self, leaf: Mapping[str, Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        condition = {"properties": [{**leaf, "type": "person"}], "rollout_percentage": 100}
        flag: dict[str, Any] = {"id": 1, "key": "side", "active": True, "filters": {"groups": [condition]}}
        document: dict[str, Any] = {"flags": [flag], "cohorts": {}, "group_type_mapping": {}}
        program = compile_definitions(parse_definitions(document))
        sides: tuple[list[Any], list[Any]] = ([], [])
        for value in beside(leaf, self._now):
            context = Context(distinct_id="a", person_properties={leaf["key"]: value}, properties_complete=True)
            outcome = program.evaluate(context, now=self._now).outcomes.get("side")
            sides[0 if outcome is not None and outcome.enabled else 1].append(value)
        return tuple(sides[0]), tuple(sides[1])
