"""docs/outages.md is what the scenarios say now."""

from __future__ import annotations

from pathlib import Path

from harness.faults.catalogue import SCENARIOS
from harness.scenarios.page import page
from harness.scenarios.play.table import measured_in

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outages.md"


def test_the_page_about_outages_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(measured_in(text)), "run: python -m harness.scenarios table --write docs/outages.md"


def test_every_scenario_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in SCENARIOS if f"| `{name}` |" not in text] == []
