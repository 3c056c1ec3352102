"""Naming scenarios on the command line, and writing the page about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.__main__ import main
from harness.faults.__main__ import main as faults
from harness.faults.catalogue import SCENARIOS
from harness.scenarios.__main__ import main as scenarios
from harness.scenarios.page import page


def test_faults_are_listed_by_name_with_how_long_they_lasted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    assert "4 days" in next(line for line in lines if line.startswith("outdated-200"))


def test_a_name_that_no_scenario_has_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        faults(["serve", "--scenario", "no-such"])
    assert ended.value.code == 2
    assert "retry-storm" in capsys.readouterr().err


def test_definitions_that_are_not_there_are_said_and_exit_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert faults(["serve", "--definitions", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.startswith("faults: ")


def test_the_page_is_printed_or_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert scenarios(["table"]) == scenarios(["table", "--write", str(tmp_path / "page.md")]) == 0
    assert capsys.readouterr().out == (tmp_path / "page.md").read_text(encoding="utf-8") == page()
