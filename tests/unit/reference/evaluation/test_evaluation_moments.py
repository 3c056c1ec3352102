"""One program asked again: at another moment, in another zone, about another person. Nothing of the last request is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reference.context import Context, Selection
from tests.unit.reference.evaluation.building import NOW, compiled, condition, depends, flag, person

DAY = timedelta(days=1)
SEEN = NOW - 2 * DAY


def value(program, *, now=NOW, seen=SEEN, timezone="UTC", complete=True):
    context = Context(
        distinct_id="user-1", person_properties={"seen": seen.isoformat()}, timezone=timezone, properties_complete=complete
    )
    return program.evaluate(context, now=now).outcomes["f"].value


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("timezone", ["UTC", "Asia/Tokyo"])
def test_relative_dates_count_from_each_request_s_own_moment(timezone, complete):
    program = compiled(flag("f", condition(person("seen", "is_date_before", "-3d"))))
    moments = [NOW, NOW + 2 * DAY, NOW, NOW + 2 * DAY, NOW + 2 * DAY]
    told = [value(program, now=now, timezone=timezone, complete=complete) for now in moments]
    assert told == [False, True, False, True, True]


def test_fixed_dates_are_read_in_each_request_s_own_zone():
    program = compiled(flag("f", condition(person("seen", "is_date_after", "2026-11-20"))))
    late = datetime(2026, 11, 19, 18, tzinfo=UTC)  # already the 20th in Tokyo
    zones = ["UTC", "Asia/Tokyo", "UTC", "UTC", "Asia/Tokyo"]
    assert [value(program, seen=late, timezone=zone) for zone in zones] == [False, True, False, False, True]


def test_persons_asked_one_after_the_other_are_told_apart():
    program = compiled(flag("f", condition(person("a"))), flag("g", condition(depends("f")), number=2))
    contexts = [Context(distinct_id=name, person_properties={"a": name}) for name in ("yes", "no", "yes")]
    told = [[outcome.value for outcome in program.evaluate(context, now=NOW).outcomes.values()] for context in contexts]
    assert told == [[True, True], [False, False], [True, True]]


def test_selections_asked_one_after_the_other_are_told_apart():
    program = compiled(flag("f", condition()), flag("g", condition(depends("f")), number=2), flag("h", condition(), number=3))
    asked = [("f",), ("g",), (), None, ("f",), ("h", "unknown")]
    told = [
        [*program.evaluate(Context(distinct_id="u"), now=NOW, selection=Selection(flag_keys=keys)).outcomes] for keys in asked
    ]
    assert [sorted(keys) for keys in told] == [["f"], ["f", "g"], [], ["f", "g", "h"], ["f"], ["h"]]
