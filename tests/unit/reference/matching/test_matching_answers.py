"""The answers that are no booleans, and what they count as."""

from __future__ import annotations

import pytest

from reference.matching.match import INVALID, Unsure


def test_a_comparison_that_could_not_be_made_counts_as_a_mismatch():
    assert not INVALID
    assert repr(INVALID) == "INVALID"


def test_not_knowing_has_no_truth_value():
    with pytest.raises(TypeError, match=r"^an Unsure answer has no truth value; test its type first$"):
        bool(Unsure("property_unknown"))
    assert repr(Unsure("property_unknown")) == "Unsure('property_unknown')"
