"""Found by the differential run: two unknown leaves in one cohort group."""

from datetime import UTC, datetime

import pytest

from reference.context import Context
from reference.definitions.parse import parse_definitions
from reference.evaluate import compile_definitions
from reference.outcome import Status


@pytest.mark.parametrize("conjunction", ["AND", "OR"])
def test_two_unknown_leaves_in_one_cohort_group_are_inconclusive_not_an_error(conjunction):
    leaves = [{"key": key, "type": "person", "operator": "is_set", "value": "is_set"} for key in ("a", "b")]
    in_cohort = {"key": "id", "type": "cohort", "operator": "in", "value": 1}
    flag = {"id": 1, "key": "f", "active": True, "filters": {"groups": [{"properties": [in_cohort]}]}}
    document = {"flags": [flag], "group_type_mapping": {}, "cohorts": {"1": {"type": conjunction, "values": leaves}}}
    evaluation = compile_definitions(parse_definitions(document)).evaluate(Context(distinct_id="u"), now=datetime.now(UTC))
    assert evaluation.outcomes["f"].status is Status.INCONCLUSIVE
