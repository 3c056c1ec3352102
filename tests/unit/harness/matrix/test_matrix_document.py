"""docs/error-handling.md and its data are current: same SDKs, faults and applications, and every sentence is shown by cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.__main__ import UNAVAILABLE, USAGE, main
from harness.matrix.cells import Measured, load, save
from harness.matrix.command import DATA
from harness.matrix.document.findings import FINDINGS, Finding, untrue
from harness.matrix.document.page import COMMAND, page
from harness.matrix.play.local import RUNNING, STARTING
from harness.matrix.play.remote import ALL_FLAGS, DIRECT, ONE_FLAG, PROXY, STRANGER_ALL, STRANGER_ONE
from harness.matrix.subjects import SUBJECTS, fingerprint
from harness.matrix.trials import ON_DEFINITIONS, ON_FLAGS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "error-handling.md"


@pytest.fixture(scope="module")
def measured() -> Measured:
    return load(DATA)


def test_the_page_is_what_the_data_say(measured: Measured) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(measured), (
        "run: flags-harness matrix --render --write docs/error-handling.md"
    )


def test_the_data_are_of_these_sdks_faults_and_applications(measured: Measured) -> None:
    assert measured.fingerprint == fingerprint(), f"run: {COMMAND}"


def test_every_fault_was_played_for_every_sdk_by_every_way(measured: Measured) -> None:
    flags, definitions = {trial.id for trial in ON_FLAGS}, {trial.id for trial in ON_DEFINITIONS}
    expected = {
        ONE_FLAG: (flags, {DIRECT, PROXY}),
        ALL_FLAGS: (flags, {DIRECT, PROXY}),
        STRANGER_ONE: (flags, {PROXY}),
        STRANGER_ALL: (flags, {PROXY}),
        RUNNING: (definitions, {DIRECT, PROXY}),
        STARTING: (definitions, {DIRECT, PROXY}),
    }
    assert set(measured.tables) == set(expected)
    for name, (trials, routes) in expected.items():
        assert set(measured.tables[name]) == trials
        for row in measured.tables[name].values():
            assert {subject: set(cells) for subject, cells in row.items()} == dict.fromkeys(SUBJECTS, routes)


def test_there_are_at_least_fourteen_faults_each_under_a_name_of_its_own() -> None:
    for trials in (ON_FLAGS, ON_DEFINITIONS):
        assert len({trial.id for trial in trials}) == len({trial.does for trial in trials}) == len(trials) >= 14


@pytest.mark.parametrize("finding", FINDINGS, ids=range(len(FINDINGS)))
def test_every_sentence_at_the_top_is_shown_by_cells(finding: Finding, measured: Measured) -> None:
    assert finding.shown
    assert untrue(finding, measured.tables) == []


def test_a_name_that_no_fault_has_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", "--faults", "500,earthquake"]) == USAGE
    assert "earthquake" in capsys.readouterr().err


def test_an_sdk_that_is_not_installed_is_said_and_not_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", "--faults", "500", "--lanes", str(tmp_path)]) == UNAVAILABLE
    assert "python -m tools.sdks posthog-python@7.91.1" in capsys.readouterr().err


def test_what_was_played_survives_the_file(tmp_path: Path, measured: Measured) -> None:
    save(tmp_path / "measured.json", measured)
    assert load(tmp_path / "measured.json") == measured
    assert (tmp_path / "measured.json").read_bytes() == DATA.read_bytes()


def test_what_one_application_changes_for_the_next_is_played_for_each_alone() -> None:
    assert {trial.id for trial in ON_FLAGS if trial.is_played_alone} == {"502-once", "undefined-200", "shrunk"}
