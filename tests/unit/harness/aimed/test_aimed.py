"""People aimed at definitions: identities beside edges, values on both sides, and what is excused as nobody can know it."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from harness.aimed.edges import Edges, Ring, fraction, rings
from harness.aimed.oracle import CLOCK, COHORT, CONTINUITY, DEPENDENCY, FORMAT, METADATA, ZONE, Oracle
from harness.aimed.population import Population
from harness.aimed.project import reduced
from harness.aimed.sides import Sides
from harness.strategies import position
from harness.subjects.protocol import Status

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def leaf(key, operator, value, **more):
    return {"key": key, "type": "person", "operator": operator, "value": value, **more}


def flag(key, *leaves, share=100, **more):
    filters = {"groups": [{"properties": list(leaves), "rollout_percentage": share}], **more.pop("filters", {})}
    return {"id": 1, "key": key, "version": 1, "active": True, "filters": filters, **more}


def document(*flags, **more):
    return {"flags": list(flags), "cohorts": {}, "group_type_mapping": {"0": "company"}, **more}


def cohort(number):
    return leaf("id", "in", number, type="cohort")


def oracle(*flags, **more):
    return Oracle(document(*flags, **more.pop("document", {})), clock=lambda: NOW, **more)


def test_an_identity_falls_where_the_search_has_it_fall():
    assert fraction(Ring("flag.", "", "person"), "user-17") == position("flag", "user-17")


def test_the_nearest_identities_stand_on_either_side_of_an_edge():
    ring = Ring("flag.", "variant", "person")
    names = [f"user-{n}" for n in range(500)]
    below, above = Edges(names).beside(ring, 0.3)
    assert fraction(ring, below) <= 0.3 < fraction(ring, above)
    assert not [name for name in names if fraction(ring, below) < fraction(ring, name) < fraction(ring, above)]


def test_edges_are_those_of_rollout_variants_and_holdout_for_whom_they_hash():
    variants = {"multivariate": {"variants": [{"key": name, "rollout_percentage": 50} for name in "ab"]}}
    found = flag("f", share=30, filters={**variants, "holdout": {"id": 1, "exclusion_percentage": 10}})
    assert list(rings(found)) == [
        (Ring("f.", "", "person"), 0.3),
        (Ring("f.", "variant", "person"), 0.5),
        (Ring("holdout-", "", "person"), 0.1),
    ]
    assert next(rings(flag("f", share=30, filters={"aggregation_group_type_index": 0})))[0].identity == "0"
    assert next(rings(flag("f", share=30, bucketing_identifier="device_id")))[0].identity == "device"
    assert list(rings(flag("f", share=100))) == []


@pytest.mark.parametrize(
    ("operator", "value", "holds", "fails"),
    [
        ("exact", ["pro"], "PRO", "pro "),
        ("exact", "17", 17, "holdfast-other"),
        ("is_not", "pro", "holdfast-other", "pro"),
        ("icontains", "corp", "xCORPy".lower(), "cor"),
        ("gte", 18, 18, 17),
        ("gt", "18", 19, 18),
        ("between", [1, 3], 3, 4),
        ("semver_lt", "2.0.0", "2.0.0-rc.1", "2.0.0"),
        ("is_date_after", "2026-03-01", "2026-03-02T00:00:00Z", "2026-02-28T00:00:00Z"),
        ("is_date_before", "-30d", "2026-10-20T18:00:00Z", "2026-10-27T18:00:00Z"),
        ("regex", "^corp$", "corp", "xcorpx"),
    ],
)
def test_values_stand_on_both_sides_of_a_filter(operator, value, holds, fails):
    sides = Sides(NOW)
    asked = leaf("p", operator, value)
    assert holds in sides.of(asked, holds=True)
    assert fails in sides.of(asked, holds=False)


def test_the_same_seed_gives_the_same_marked_people_and_another_seed_others():
    asked = document(flag("f", leaf("age", "gte", 18), share=30))

    def people(seed):
        return list(islice(Population(asked, seed=seed, mark="m-", now=NOW).people(), 30))

    assert people(1) == people(1) != people(2)
    assert all(one["distinct_id"].startswith("m-") for one in people(1))
    assert not any("anon" in name for one in people(1) for name in one)
    assert all(key.startswith("m-") for one in people(1) for key in one["groups"].values())


def test_nobody_is_aimed_at_a_document_without_flags():
    assert list(Population(document(), seed=1, mark="m-", now=NOW).people()) == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (flag("f", cohort(9)), COHORT),
        (flag("f", cohort(1)), COHORT),
        (flag("f", ensure_experience_continuity=True), CONTINUITY),
        (flag("f", leaf("created_at", "is_date_after", "2026-01-01", type="person_metadata")), METADATA),
        (flag("f", filters={"version": 2}), FORMAT),
        (flag("f", leaf("d", "is_date_after", "2026-03-01")), ZONE),
        (flag("f", leaf("r", "is_date_after", "-1d")), CLOCK),
    ],
)
def test_what_definitions_do_not_say_is_excused_with_the_reason_and_so_is_what_depends_on_it(found, reason):
    nested = {"1": {"type": "AND", "values": [cohort(9)]}}
    behind = flag("behind", leaf("f", "flag_evaluates_to", True, type="flag", dependency_chain=["f"]))
    person = {
        "distinct_id": "a",
        "person_properties": {"d": "2026-03-01T00:00:00Z", "r": (NOW - timedelta(days=1, minutes=5)).isoformat()},
    }
    said = oracle(found, behind, document={"cohorts": nested}).ask(person)
    assert said.excused["f"] == reason
    assert said.excused["behind"] in {DEPENDENCY, reason}
    assert said.answers == {}


def test_a_date_is_no_excuse_where_the_zone_is_known():
    asked = flag("f", leaf("d", "is_date_after", "2026-03-01"))
    person = {"distinct_id": "a", "person_properties": {"d": "2026-03-01T00:00:00Z"}}
    assert oracle(asked, timezone="Europe/Berlin").ask(person).answers["f"].value is True
    assert oracle(asked, timezone="UTC").ask(person).answers["f"].value is False


def test_what_was_not_sent_is_unset_to_a_server():
    verdict = oracle(flag("f", leaf("p", "is_not", "pro"))).ask({"distinct_id": "a"}).answers["f"]
    assert (verdict.status, verdict.value) == (Status.VALUE, True)


def test_a_reduced_document_keeps_what_the_flag_needs():
    needs = flag("f", leaf("g", "flag_evaluates_to", True, type="flag"), cohort(1))
    cohorts = {"1": {"type": "AND", "values": [cohort(2)]}, "2": {"type": "AND", "values": []}, "3": {}}
    part = reduced(document(needs, flag("g"), flag("h"), cohorts=cohorts), "f")
    assert [one["key"] for one in part["flags"]] == ["f", "g"]
    assert sorted(part["cohorts"]) == ["1", "2"]


def test_odd_identities_are_long_and_upper_case_and_not_ascii_on_demand_and_hashed_as_far_as_the_contract_says():
    def identities(**more):
        found = Population(document(flag("f", share=30)), seed=1, mark="m-", now=NOW, **more).people()
        return [person["distinct_id"] for person in islice(found, 60)]

    odd = identities(has_odd_ids=True)
    assert any(len(one) > 200 for one in odd)
    assert any(not one.isascii() for one in odd)
    assert any(one != one.strip() for one in odd)
    assert all(len(one) < 200 and one.isascii() for one in identities())
    ring = Ring("f.", "", "person")
    assert fraction(ring, "u" * 201) == fraction(ring, "u" * 200) == position("f", "u" * 200)
