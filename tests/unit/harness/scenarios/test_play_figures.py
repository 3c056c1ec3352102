"""What a performance comes to, and which marks it misses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from harness.faults.catalogue import SCENARIOS
from harness.scenarios.play.figures import Figures, complaints, figures, p99
from harness.scenarios.play.script import History, Plan, Sample
from harness.scenarios.play.shot import Contents, Shot, Values
from harness.scenarios.play.table import BEGIN, END, Row, measured_in, section, with_measured
from harness.scenarios.play.truth import Change, Truth, Wrong

RIGHT: Values = {"pulse": (True, None, "0")}
TRUTH = Truth({(0, "user"): RIGHT})
LIVE = "holdfast; fwd=miss; fwd-status=200; stored"
HIT = "holdfast; hit; ttl=2"
REFUSED: dict[str, Any] = {
    "cache": "holdfast; hit; ttl=-4; detail=stale",
    "proxy": 'holdfast; error=destination_unavailable; details="breaker_open"',
}


def shot(at: float, *, took_s: float = 0.01, content: int | None = 0, **more: Any) -> Shot:
    more = {"is_known": True, "status": 200, "cache": LIVE, **more}
    return Shot("user", due_at=at, sent_at=at, received_at=at + took_s, content=content, **more)


STILL = (Change(0, -1e9),)


def history(
    *shots: Shot,
    name: str = "retry-storm",
    samples: Sequence[Sample] = (),
    values: Values = RIGHT,
    changes: Sequence[Change] = STILL,
    holds_definitions: bool = False,
) -> History:
    contents = Contents()
    contents.values.append(values)
    return History(
        scenario=SCENARIOS[name], plan=Plan(holds_definitions=holds_definitions), shots=list(shots), contents=contents,
        samples=list(samples), changes=list(changes), fault_at=100.0, ended_at=110.0,
    )  # fmt: skip


def test_answers_for_known_keys_and_for_others_are_counted_apart_from_the_fault_on() -> None:
    found = figures(
        history(
            shot(99.0, status=500), shot(101.0), shot(102.0, status=503, content=None), shot(103.0, is_known=False, status=0)
        ),
        TRUTH,
    )
    assert (found.known, found.known_failed, found.strangers, found.strangers_failed) == (2, 1, 1, 1)


def test_the_first_answer_that_the_breaker_kept_from_upstream_tells_when_it_tripped() -> None:
    played = history(shot(100.5), shot(103.0, took_s=0.5, age_s=4, **REFUSED), shot(104.0, age_s=5, **REFUSED))
    assert figures(played, TRUTH).trip_s == 3.5
    assert figures(history(shot(101.0)), TRUTH).trip_s is None


def test_load_is_counted_where_the_breaker_was_open_alone() -> None:
    closed = [shot(101.0 + number / 100) for number in range(100)]
    kept = [shot(102.0 + number / 100, age_s=5, **REFUSED) for number in range(99)]
    hits = [shot(102.0 + number / 100, cache=HIT, age_s=1) for number in range(50)]
    probe = shot(102.5)
    samples = (Sample(101.0, 0), Sample(102.0, 100), Sample(103.0, 101))
    found = figures(history(*closed, *kept, *hits, probe, samples=samples), TRUTH)
    assert found.load_ratio == pytest.approx(1 / 150)
    assert found.open_s > 0


def test_normal_is_when_the_last_answer_that_shows_trouble_has_come() -> None:
    assert figures(history(shot(109.0, age_s=3, **REFUSED), shot(112.0)), TRUTH).normal_s < 0
    assert figures(history(shot(115.0, took_s=1.0, age_s=3, **REFUSED), shot(117.0)), TRUTH).normal_s == 6.0


def test_every_answer_with_flags_is_held_to_the_truth_those_before_the_fault_too() -> None:
    played = history(shot(50.0), shot(105.0), shot(106.0, status=503, content=None), values={"pulse": (False, None, None)})
    found = figures(played, TRUTH)
    assert (found.checked, len(found.wrong), len(found.wrong_known)) == (2, 2, 2)
    assert complaints(played, found)


FINE = Figures(
    known=10, known_failed=0, strangers=5, strangers_failed=5, trip_s=1.0, open_s=9.0, load_ratio=0.01, normal_s=12.0,
    open_p99_s=0.02, hit_p99_s=0.01, checked=10, wrong=[], as_said=0, labels={},
)  # fmt: skip
WRONG = Wrong(shot(1.0), "it lacks a flag")


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("failed", {"known_failed": 1}),
        ("wrong", {"wrong": [WRONG]}),
        ("for strangers are wrong", {"wrong": [Wrong(shot(1.0, is_known=False), "it lacks flags")]}),
        ("did not trip", {"trip_s": None}),
        ("5.1 s to trip", {"trip_s": 5.1}),
        ("2.1%", {"load_ratio": 0.021}),
        ("30.2 s", {"normal_s": 30.2}),
        ("3.1 ×", {"open_p99_s": 0.031}),
    ],
)
def test_each_mark_is_missed_by_what_misses_it_alone(what: str, change: dict[str, Any]) -> None:
    assert complaints(history(), FINE) == []
    said = complaints(history(), msgspec.structs.replace(FINE, **change))
    assert len(said) == 1
    assert what in said[0]


def test_what_nobody_could_notice_is_counted_apart_and_no_miss() -> None:
    emptied = {"is_known": False, "took_s": 0.5}
    found = figures(history(shot(101.0, **emptied), name="undefined-200", values={}), TRUTH)
    assert (found.as_said, found.wrong) == (1, [])
    three = dict.fromkeys(("a", "b", "c"), (True, None, ""))
    shrunk = history(shot(101.0, **emptied), name="shrunk", values={"a": (True, None, "")})
    found = figures(shrunk, Truth({(0, "user"): three}))
    assert (found.as_said, found.wrong) == (1, [])
    outdated = history(shot(105.0), name="outdated-200", changes=[Change(0, -1e9), Change(1, 102.0)])
    found = figures(outdated, Truth({(0, "user"): RIGHT, (1, "user"): {}}))
    assert (found.as_said, found.wrong) == (1, [])


@pytest.mark.parametrize(
    ("name", "holds_definitions", "given", "more"),
    [
        ("retry-storm", False, {}, {"is_known": False}),
        ("undefined-200", False, {}, {}),
        ("undefined-200", True, {}, {"is_known": False}),
        ("undefined-200", False, {"pulse": (True, None, "of somebody else")}, {"is_known": False}),
        ("undefined-200", False, {}, {"is_known": False, "at": 99.0}),
        ("shrunk", False, {}, {}),
        ("shrunk", True, {}, {"is_known": False}),
        ("shrunk", False, {"other": (True, None, "")}, {"is_known": False}),
        ("outdated-200", False, {"pulse": (True, None, "of somebody else")}, {}),
        ("outdated-200", False, {}, {"cache": "holdfast; fwd=stale; ttl=-1; detail=stale", "age_s": 1}),
    ],
)
def test_an_untruth_that_could_be_noticed_is_wrong(
    name: str, holds_definitions: bool, given: Values, more: dict[str, Any]
) -> None:
    asked = shot(**{"at": 101.0, **more})
    found = figures(history(asked, name=name, values=given, holds_definitions=holds_definitions), TRUTH)
    assert (found.as_said, len(found.wrong)) == (0, 1)
    assert complaints(history(name=name), found)


def test_the_ninety_ninth_percentile_is_the_nearest_rank() -> None:
    assert p99([]) is None
    assert p99([1.0]) == 1.0
    assert p99(range(1, 101)) == 99
    assert p99(range(1, 1001)) == 990


def test_the_measured_section_is_replaced_and_the_rest_of_a_page_left_alone() -> None:
    first = section([Row("slow", FINE, ["too slow"])], Plan())
    assert "| slow | 10 | 0 | 0 | 5 | 5 | 0 | 0 | 1.0 s | 9 s | 1.0% | 12.0 s | 2.0 (20 ÷ 10 ms) | too slow |" in first
    page = with_measured("# Page\n", first)
    assert page.startswith("# Page\n")
    assert measured_in(page) == first
    again = with_measured(page + "more\n", f"{BEGIN}\nnew\n{END}")
    assert again == f"# Page\n\n{BEGIN}\nnew\n{END}\nmore\n"
    assert measured_in("# Page\n") == ""
