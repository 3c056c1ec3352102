"""Mutants as subjects: the right function is changed, the draw is seeded, and only what the unit tests kill is drawn from."""

from __future__ import annotations

import json
from pathlib import Path

import libcst as cst
import pytest

from tests.mutation.sample import SKIPPED
from tests.random_mutants.sought import drawn, killed
from tests.random_mutants.written import replaced

SOURCE = """\
class Port:
    def digest(self) -> int: ...


class Other:
    def digest(self) -> int:
        return 1


def digest(x: int) -> int:
    return x + 1  # why
"""


@pytest.mark.parametrize(("owner", "old", "new"), [(None, "return x + 1", "return 7"), ("Other", "return 1", "return 7")])
def test_the_function_of_the_right_owner_is_changed_and_nothing_else(owner: str | None, old: str, new: str) -> None:
    mutant = cst.parse_module(f"def digest(x: int) -> int:\n    {new}\n").body[0]
    assert isinstance(mutant, cst.FunctionDef)
    module = cst.parse_module(SOURCE)
    asked = mutant if owner is None else mutant.with_changes(params=cst.Parameters(params=[cst.Param(cst.Name("self"))]))
    text = replaced(module, owner, "digest", asked.body, asked.params)
    before, after = SOURCE.splitlines(), text.splitlines()
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert [(one.strip().removesuffix("  # why"), other.strip()) for one, other in changed] == [(old, new)]


def test_only_mutants_that_the_unit_tests_kill_are_drawn_from(tmp_path: Path) -> None:
    record = tmp_path / "mutants" / "reference" / "walk.py.meta"
    record.parent.mkdir(parents=True)
    codes: dict[str, int | None] = {
        "killed": 1,
        "hung": 36,
        "lived": 0,
        "unreached": 33,
        "left out": SKIPPED,
        "not judged": None,
    }
    record.write_text(json.dumps({"exit_code_by_key": codes}))
    assert killed(tmp_path) == ["hung", "killed"]


def test_a_draw_is_the_same_for_the_same_seed() -> None:
    names = [f"m{number}" for number in range(50)]
    assert drawn(names, 10, 1) == drawn(names, 10, 1) != drawn(names, 10, 2)
    assert sorted(drawn(names, 99, 1)) == sorted(names)
