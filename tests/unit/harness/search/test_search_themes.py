"""Probes for whoever has the capability: relative dates at their edge, whole requests, and patterns put together."""

import re
import warnings
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from harness.search import composed, moments, requests
from harness.search.pools import POOLS, Level
from harness.search.write import PARTICULAR, THEMES, batch


def days(moment, relative):
    return sorted({edge.date().isoformat() for edge in moments.edges(datetime.fromisoformat(moment), relative)})


@pytest.mark.parametrize(
    ("moment", "relative", "expected"),
    [
        ("2024-03-31T12:00:00+00:00", "-1m", ["2024-02-28", "2024-02-29", "2024-03-02"]),
        ("2024-02-29T00:00:00+00:00", "-1y", ["2023-02-28", "2023-03-01"]),
        ("2024-03-31T12:00:00+00:00", "30d", ["2024-03-01"]),
        ("2024-03-31T00:30:00+00:00", "-1h", ["2024-03-30"]),
        ("2024-03-31T12:00:00+00:00", "-9999y", []),
        ("2024-03-31T12:00:00+00:00", "+1d", []),
        ("2024-03-31T12:00:00+00:00", "-1s", []),
    ],
)
def test_edges_are_where_one_calendar_or_another_lands(moment, relative, expected):
    assert days(moment, relative) == expected


def test_people_stand_beside_the_edges_of_the_dates_that_are_asked_about():
    case = batch(moments.THEME, Level.PLAUSIBLE, "3:1")
    now = datetime.fromisoformat(case.people[0]["now"])
    asked = {flag["filters"]["groups"][0]["properties"][0]["value"] for flag in case.definitions["flags"]}
    edges = [edge for relative in moments.RELATIVE for edge in moments.edges(now, relative)]
    told = [datetime.fromisoformat(person["person_properties"]["p"]) for person in case.people]
    assert asked <= set(moments.RELATIVE)
    assert all(min(abs(one - edge) for edge in edges) <= timedelta(seconds=1) for one in told)
    assert {person["request"]["timezone"] for person in case.people} == {moments.TEAM_ZONE}


def test_particular_themes_are_for_the_able_only_and_repeat():
    assert not set(PARTICULAR) & set(THEMES)
    for theme, needs in PARTICULAR.items():
        assert needs
        for level in Level:
            assert batch(theme, level, "7:1") == batch(theme, level, "7:1") != batch(theme, level, "7:2")


def test_requests_choose_flags_and_tell_what_is_stored():
    people = [person for number in range(8) for person in batch(requests.THEME, Level.PLAUSIBLE, f"1:{number}").people]
    told = Counter(name for person in people for name in (*person, *person["request"]))
    assert all(
        told[name] > 9
        for name in (
            "memberships",
            "hash_key_overrides",
            "flag_keys",
            "survey_only",
            "runtime",
            "evaluation_contexts",
            "timezone",
        )
    )


def test_composed_patterns_are_many_and_valid_as_a_rule():
    random = Random(5)
    patterns = {composed.pattern(random) for _ in range(400)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        valid = sum(is_valid(one) for one in patterns)
    assert len(patterns) > 350
    assert valid > len(patterns) / 2


def is_valid(pattern):
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def test_plausible_patterns_are_those_of_the_list():
    flags = batch("pattern", Level.PLAUSIBLE, "1:1").definitions["flags"]
    leaves = [leaf for flag in flags for one in flag["filters"]["groups"] for leaf in one["properties"] if leaf["key"] == "p"]
    assert {leaf["value"] for leaf in leaves} <= set(POOLS["pattern"].filters)
