"""Version requirements whose text only looks like one."""

from __future__ import annotations

import pytest

from tests.unit.reference.matching.asking import ask, said


@pytest.mark.parametrize("wanted", ["X1.2", "x1.2.0", "1.x.0", "1.X.2", ",1.2", "1.2,", "1.2.3.4"])
def test_a_wildcard_with_letters_in_the_wrong_place_is_no_requirement(wanted):
    assert said(ask("semver_wildcard", wanted, "1.2.0")) == "INVALID"


@pytest.mark.parametrize("wanted", ["1.2.*", "1.*", "*", "1.x", "1.2.X", "1.2.0, 1.*", " 1.2.*"])
def test_a_wildcard_in_its_place_is_one(wanted):
    assert said(ask("semver_wildcard", wanted, "1.2.0")) is True
