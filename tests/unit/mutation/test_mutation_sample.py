"""How a sample of mutants is drawn and how its verdicts are counted."""

from __future__ import annotations

import json
from pathlib import Path

from tests.mutation.outcome import read, table
from tests.mutation.sample import SKIPPED, draw


def records(folder: Path, **codes_by_room: dict[str, int | None]) -> Path:
    """Write mutmut's records of some rooms."""
    for room, codes in codes_by_room.items():
        path = folder / "mutants" / "reference" / f"{room}.py.meta"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"exit_code_by_key": codes, "durations_by_key": {}}))
    return folder


def drawn(folder: Path) -> set[str]:
    """Return the names that are still to be judged."""
    found = [json.loads(path.read_text())["exit_code_by_key"] for path in (folder / "mutants").rglob("*.meta")]
    assert all(code in (None, SKIPPED) for codes in found for code in codes.values())
    return {name for codes in found for name, code in codes.items() if code is None}


def room(name: str, count: int) -> dict[str, int | None]:
    return {f"reference.{name}.x_f__mutmut_{number}": None for number in range(count)}


def test_sample_is_the_same_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    samples = []
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = records(tmp_path / place, dates=room("dates", 40), walk=room("walk", 60))
        assert draw(folder / "mutants", 20, seed) == (100, 20)
        samples.append(drawn(folder))
    assert samples[0] == samples[1] != samples[2]
    assert len(samples[0]) == 20


def test_sample_larger_than_the_population_takes_all(tmp_path: Path) -> None:
    folder = records(tmp_path, walk=room("walk", 3))
    assert draw(folder / "mutants", 10, 1) == (3, 3)
    assert len(drawn(folder)) == 3


def test_named_mutants_are_drawn_instead_where_they_still_exist(tmp_path: Path) -> None:
    folder = records(tmp_path, walk=room("walk", 5))
    names = {"reference.walk.x_f__mutmut_3", "reference.walk.x_f__mutmut_4"}
    assert draw(folder / "mutants", 10, 1, named={*names, "reference.walk.x_gone__mutmut_1"}) == (5, 2)
    assert drawn(folder) == names


def test_hangs_and_crashes_are_kills_and_unreached_mutants_are_survivors(tmp_path: Path) -> None:
    codes: dict[str, int | None] = {"killed": 1, "hung": 36, "crashed": -11, "lived": 0, "unreached": 33, "left out": SKIPPED}
    outcome = read(records(tmp_path, walk=codes))
    assert outcome.survivors == ["lived", "unreached"]
    assert (outcome.judged, outcome.killed_ratio) == (5, 0.6)
    assert list(table(outcome))[2:] == ["| reference/walk.py | 5 | 3 | 2 | 0 |", "| all | 5 | 3 | 2 | 0 |"]


def test_mutants_that_an_interrupted_run_left_count_neither_way(tmp_path: Path) -> None:
    outcome = read(records(tmp_path, walk={"killed": 1, "left": None, "interrupted": 2}))
    assert (outcome.judged, outcome.killed_ratio, outcome.counts["not judged"]) == (1, 1.0, 2)


def test_run_without_mutants_killed_nothing(tmp_path: Path) -> None:
    assert read(tmp_path).killed_ratio == 0.0
