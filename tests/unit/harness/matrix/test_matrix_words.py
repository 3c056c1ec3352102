"""From what an application was handed to a cell, and from two plays to what differs: pure."""

from __future__ import annotations

import pytest

from harness.matrix.cells import AT_ONCE, Cell, class_of
from harness.matrix.compare import differences
from harness.matrix.play.application import Said
from harness.matrix.play.outcome import of_all, of_held, of_one
from harness.matrix.world import ASKED, truth


@pytest.mark.parametrize(
    ("value", "word"),
    [("next", "value"), ("first", "outdated value"), (False, "false"), (None, "nothing"), (True, "wrong value")],
)
def test_a_value_is_judged_by_the_truth_of_now_and_before(value: object, word: str) -> None:
    assert of_one(Said(0.1, value=value), edition=1, requests=1).got == word


def test_what_is_raised_counts_more_than_the_value_beside_it() -> None:
    assert of_one(Said(0.1, value=False, raised="error"), edition=0, requests=2).got == "error"


def test_requests_that_nobody_could_count_are_not_called_none_at_all() -> None:
    assert of_one(Said(0.1), edition=0, requests=0).requests is None


def test_flags_are_counted_as_right_wrong_and_missing() -> None:
    right = truth(0)
    assert of_all(Said(0.1, flags=dict(right)), edition=0, requests=1).got == "all"
    assert of_all(Said(0.1, flags={}), edition=0, requests=1).got == "nothing"
    assert of_all(Said(0.1, flags={**right, ASKED: False}), edition=0, requests=1).got == "11 of 12, 1 wrong"
    assert of_all(Said(0.1, flags={"layout": "compact", "unheard-of": True}), edition=0, requests=1).got == "1 of 12"
    assert of_all(Said(0.1, raised="error"), edition=0, requests=1).got == "error"


def test_definitions_are_kept_or_wiped_by_what_is_still_evaluated() -> None:
    assert of_held(Said(0.1, flags=dict(truth(0)))) == "kept"
    assert of_held(Said(0.1, flags={})) == "wiped"
    assert of_held(Said(0.1, flags={"layout": "compact"})) == "1 of 12"
    assert of_held(Said(0.1, raised="hangs")) == "hangs"


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0.35, AT_ONCE), (1.1, "1–2 s"), (3.1, "3–4 s"), (6.4, "5–7 s"), (9.2, "8–11 s"), (16.5, "12–17 s"), (19.3, "≥ 18 s")],
)
def test_times_are_told_apart_by_the_limits_that_lead_to_them(seconds: float, name: str) -> None:
    assert class_of(seconds) == name


def table(cell: Cell) -> dict[str, dict[str, dict[str, dict[str, Cell]]]]:
    return {"one flag": {"500": {"posthog-node@5.70.0": {"direct": cell}}}}


@pytest.mark.parametrize(
    "now",
    [
        Cell(got="value", requests=2),
        Cell(got="nothing", requests=1),
        Cell(got="nothing", requests=2, told="timeout"),
        Cell(got="nothing", requests=2, later="kept"),
        Cell(got="nothing", requests=2, lost="3–4 s"),
    ],
)
def test_another_outcome_is_a_difference(now: Cell) -> None:
    was = Cell(got="nothing", requests=2)
    (line,) = differences(table(was), table(now))
    assert line.startswith("one flag / 500 / posthog-node@5.70.0 / direct: was nothing")


def test_a_slow_machine_is_no_difference() -> None:
    assert differences(table(Cell(got="value", requests=1)), table(Cell(got="value", requests=1, lost="1–2 s"))) == []


def test_a_cell_that_was_never_written_down_is_a_difference() -> None:
    assert differences({}, table(Cell(got="value"))) == [
        "one flag / 500 / posthog-node@5.70.0 / direct: was not there, is value · at once · None requests"
    ]
