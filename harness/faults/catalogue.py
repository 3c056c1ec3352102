"""All scenarios by name, and how they are listed."""

from __future__ import annotations

from typing import Final

from .further import FURTHER
from .incidents import INCIDENTS
from .scenario import Scenario

SCENARIOS: Final[dict[str, Scenario]] = {scenario.id: scenario for scenario in (*INCIDENTS, *FURTHER)}


def listing() -> str:
    """Return one line per scenario: its name, how long it lasts, what callers see."""
    width = max(map(len, SCENARIOS))
    return "\n".join(f"{each.id:<{width}}  {_span(each.duration_s):>8}  {each.saw}" for each in SCENARIOS.values())


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 24 * 60 else f"{minutes / 60 / 24:g} days"
