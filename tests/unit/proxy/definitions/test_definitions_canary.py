"""The canary compares conclusive values, and shows nothing of the people it compares them for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.definitions.canary import SAMPLE_SIZE, Asked, changed_flags, live_flags
from proxy.definitions.document import parsed
from tests.fakes.definitions import flag, kept

NOW = datetime(2025, 3, 1, tzinfo=UTC)
PRO = [{"type": "person", "key": "plan", "value": "pro", "operator": "exact"}]


def changed(old: dict[str, Any], new: dict[str, Any] | None, *sample: Asked) -> bool:
    after = parsed(kept([] if new is None else [new]))
    found = changed_flags(parsed(kept([old])), after, sample=sample, now=NOW)
    assert found <= {"a"}
    return bool(found)


CHANGES = [
    # held, new, whether somebody's value changes
    (flag("a"), flag("a"), False),
    (flag("a"), flag("a", rollout=0), True),
    (flag("a", rollout=0), flag("a"), True),
    (flag("a"), flag("a", active=False), True),
    (flag("a"), flag("a", deleted=True), True),
    (flag("a"), None, True),
    (flag("a", rollout=0), None, False),
    (flag("a", active=False), None, False),
    (flag("a", active=False), flag("a"), False),
    (flag("a"), flag("a", filters="?"), False),
    (flag("a"), flag("a", properties=PRO), False),
]


@pytest.mark.parametrize(("old", "new", "is_change"), CHANGES)
def test_with_nobody_asking_made_up_people_show_a_change(old: Any, new: Any, is_change: bool) -> None:
    assert changed(old, new) is is_change


def test_a_change_that_only_some_people_see_is_seen_through_their_requests() -> None:
    old, new = flag("a", properties=PRO), flag("a", properties=PRO, rollout=0)
    assert not changed(old, new)
    assert not changed(old, new, Asked(distinct_id="x", person_properties={"plan": "free"}))
    assert changed(old, new, Asked(distinct_id="x", person_properties={"plan": "pro"}))


def test_another_variant_is_another_value() -> None:
    def multivariate(key: str) -> dict[str, Any]:
        variants = {"variants": [{"key": key, "rollout_percentage": 100}]}
        return flag("a", filters={"groups": [{"properties": []}], "multivariate": variants})

    assert changed(multivariate("control"), multivariate("test"))
    assert not changed(multivariate("control"), multivariate("control"))


def test_groups_are_made_up_too() -> None:
    grouped = {"groups": [{"properties": []}], "aggregation_group_type_index": 0}
    off = {"groups": [{"properties": [], "rollout_percentage": 0}], "aggregation_group_type_index": 0}
    old, new = (kept([flag("a", filters=filters)], group_type_mapping={"0": "org"}) for filters in (grouped, off))
    assert changed_flags(parsed(old), parsed(new), sample=(), now=NOW) == {"a"}


def test_at_most_the_newest_requests_count() -> None:
    old, new = flag("a", properties=PRO), flag("a", properties=PRO, rollout=0)
    pro, free = (Asked(distinct_id="x", person_properties={"plan": plan}) for plan in ("pro", "free"))
    assert not changed(old, new, pro, *[free] * SAMPLE_SIZE)
    assert changed(old, new, pro, *[free] * (SAMPLE_SIZE - 1))


def test_a_flag_is_live_when_it_can_have_a_value() -> None:
    entries = [flag("on"), flag("off", active=False), flag("gone", deleted=True), flag("odd", filters="?")]
    assert live_flags(parsed(kept(entries))) == {"on"}


def test_a_request_of_the_sample_does_not_print_itself() -> None:
    assert "canary" not in repr([Asked(distinct_id="canary-id", person_properties={"email": "canary@example.com"})])
