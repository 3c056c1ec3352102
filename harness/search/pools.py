"""The values that implementations read differently, by theme; the plausible ones and, opt-in, the hostile ones.

Plausible is what PostHog's editor can write and what applications send; hostile is whatever JSON allows. A theme's filter
values and its people's values are look-alikes of each other, so that a pair differs in one respect. The values stand in
`pools.json`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple


class Level(StrEnum):
    """How far from the editor a definition may stray."""

    PLAUSIBLE = "plausible"
    HOSTILE = "hostile"


class Pool(NamedTuple):
    """One theme's operators and values; `None` among the operators stands for a filter without one."""

    operators: tuple[str | None, ...]
    filters: tuple[Any, ...]
    people: tuple[Any, ...]
    hostile_filters: tuple[Any, ...] = ()
    hostile_people: tuple[Any, ...] = ()


def _read() -> dict[str, Pool]:
    """Read with the standard library: it keeps `1` and `1.0`, and integers past 64 bits."""
    themes = json.loads(Path(__file__).with_name("pools.json").read_text(encoding="utf-8"))
    return {theme: Pool(**{name: tuple(values) for name, values in pool.items()}) for theme, pool in themes.items()}


POOLS: Final = _read()
"""Theme → what it is drawn from."""

UNKNOWN_OPERATORS: Final = ("min", "max", "is_cleaned_path_exact", "in", "not_in", "flag_evaluates_to", "semver_magic")
DISTINCT_IDS: Final = ("user-1", "user-2", "USER-1", "ünï", "😀", " user-1", "user.1", "u" * 250)
