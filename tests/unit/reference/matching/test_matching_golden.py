"""The operator rows of the rules-v2 corpus, asked of v1 matching; their facts stand in the tables beside this file, too."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.matching.match import Invalid, Moment, View
from reference.matching.operators import compile_filter

CORPUS = Path(__file__).parents[5] / "shared" / "conformance" / "v2_boolean_evaluation.json"
ROWS_IN_CORPUS = 52


def _rows() -> list[dict[str, Any]]:
    cases = json.loads(CORPUS.read_text(encoding="utf-8"))["cases"]
    return [case for case in cases if case["family"] == "properties"]


def _holds(leaf: dict[str, Any], view: View, *, explicit: bool) -> bool:
    """Rules v2 honour `negation`, which v1 filters ignore."""
    compiled = compile_filter(
        PropertyFilter(
            key=leaf["key"], type=FilterType(leaf["type"]), operator=Operator(leaf["operator"]), value=leaf["value"]
        ),
        explicit_matching=explicit,
    )
    answer = compiled(view)
    assert isinstance(answer, (bool, Invalid)), answer
    return bool(answer) is not leaf["negation"]


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared golden cases are not beside this checkout")
def test_every_operator_row_of_the_golden_corpus_agrees() -> None:
    rows = _rows()
    assert len(rows) == ROWS_IN_CORPUS
    wrong = []
    for row in rows:
        context = row["context"]
        assert context["properties_complete"]
        moment = Moment(datetime.fromisoformat(context["now"]), ZoneInfo(context["timezone"]))
        view = View(context["properties"], moment, complete=True)
        leaves = row["config"]["rules"][0]["targeting"]["properties"]
        held = all(_holds(leaf, view, explicit=context["explicit_exact_matching"]) for leaf in leaves)
        if held is not row["expected"]["value"]:
            wrong.append(row["id"])
    assert wrong == []


# The same facts in our own words: filter (operator, value), property, matched. All under explicit matching.
FACTS = [
    ("exact", ["BLUE"], "blue", True),
    ("exact", 7, "7", True),
    ("exact", False, 0, False),
    ("is_not", ["blue"], "red", True),
    ("icontains", "LU", "blue", True),
    ("not_icontains", "RED", "blue", True),
    ("starts_with", "BL", "blue", True),
    ("not_starts_with", "RE", "blue", True),
    ("ends_with", "UE", "blue", True),
    ("not_ends_with", "ED", "blue", True),
    ("icontains_multi", ["RED", "LU"], "blue", True),
    ("not_icontains_multi", ["RED", "GREEN"], "blue", True),
    ("gt", 5, 6, True),
    ("gte", 5, 5, True),
    ("lt", 5, 4, True),
    ("lte", 5, 5, True),
    ("regex", "^bl(?:ue)$", "blue", True),
    ("not_regex", "^red$", "blue", True),
    ("regex", "^b(?=lue)", "blue", True),
    ("semver_eq", "3.8.0", "v3.08", True),
    ("semver_neq", "3.8.0", "3.9", True),
    ("semver_gt", "3.8.0", "3.9.0", True),
    ("semver_gte", "3.8.0", "3.8", True),
    ("semver_lt", "3.8.0", "3.7.0", True),
    ("semver_lte", "3.8.0", "3.8", True),
    ("semver_tilde", "3.8.0", "3.8.2", True),
    ("semver_caret", "3.8.0", "3.9.2", True),
    ("semver_wildcard", "3.8.*", "3.8.2", True),
    ("semver_eq", "3.8.0", "broken", False),
    ("is_date_exact", "2024-03-31T12:00:00Z", "2024-03-31T14:00:00+02:00", True),
    ("is_date_after", "2024-03-30", "2024-03-31", True),
    ("is_date_before", "2024-04-01", "2024-03-31", True),
    ("is_date_after", "-1d", "2024-03-31T11:59:00Z", True),
    ("is_date_exact", "2024-01-01T00:00:00Z", 1704067200, True),
    ("is_date_exact", "2024-01-01", "not-a-date", False),
    ("exact", None, None, False),
    ("exact", [None], None, True),
    ("is_set", None, None, True),
    ("is_not_set", None, None, False),
    ("exact", "é" * 300, "é" * 299, False),
]


@pytest.mark.parametrize(("operator", "wanted", "value", "matched"), FACTS)
def test_facts_of_the_golden_corpus(operator: str, wanted: object, value: object, matched: bool) -> None:
    compiled = compile_filter(
        PropertyFilter(key="color", type=FilterType.PERSON, operator=Operator(operator), value=wanted), explicit_matching=True
    )
    moment = Moment(datetime.fromisoformat("2024-03-31T12:00:00Z"), ZoneInfo("UTC"))
    assert compiled(View({"color": value}, moment, complete=True)) is matched
