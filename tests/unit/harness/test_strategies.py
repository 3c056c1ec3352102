"""Generated cases: repeatable, inside the agreed core, and rich enough to find something."""

import itertools

from harness.strategies import cases, position

SAMPLE = 60


def drawn(seed=5, count=SAMPLE):
    return list(itertools.islice(cases(seed), count))


def leaves(tree):
    for member in tree["values"]:
        yield from leaves(member) if "values" in member else [member]


def filters(case):
    for flag in case.definitions["flags"]:
        for group in flag["filters"]["groups"]:
            yield from group["properties"]
    for tree in case.definitions["cohorts"].values():
        yield from leaves(tree)


def test_one_seed_always_gives_the_same_cases_and_another_gives_others():
    assert drawn(5, 3) == drawn(5, 3)
    assert drawn(5, 3) != drawn(6, 3)


def test_cases_stay_inside_the_agreed_core():
    operators = {leaf["operator"] for case in drawn() for leaf in filters(case)}
    assert operators == {"exact", "is_set", "icontains", "gt", "gte", "lt", "lte", "in", "not_in"}


def test_string_equality_never_meets_what_reads_as_a_boolean():
    values = [leaf["value"] for case in drawn() for leaf in filters(case) if leaf["operator"] == "exact"]
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    assert all(isinstance(item, str) and item.lower() not in {"true", "false", ""} for item in flat)


def test_a_cohort_level_holds_leaves_or_groups_but_not_both():
    def levels(tree):
        yield {"values" in member for member in tree["values"]}
        for member in tree["values"]:
            if "values" in member:
                yield from levels(member)

    trees = [tree for case in drawn() for tree in case.definitions["cohorts"].values()]
    assert all(len(level) == 1 for tree in trees for level in levels(tree))
    assert any("values" in tree["values"][0] for tree in trees)


def test_cases_hold_every_feature_of_the_core():
    documents = [case.definitions for case in drawn()]
    flags = [flag for document in documents for flag in document["flags"]]
    groups = [group for flag in flags for group in flag["filters"]["groups"]]
    assert any(flag["filters"]["multivariate"] for flag in flags)
    assert any(flag["filters"]["payloads"] for flag in flags)
    assert any("aggregation_group_type_index" in flag["filters"] for flag in flags)
    assert any("variant" in group for group in groups)
    assert {None, 0, 100} <= {group["rollout_percentage"] for group in groups}


def test_some_rollouts_sit_exactly_on_the_hash_of_a_person():
    on_edge = 0
    for case in drawn():
        for flag in case.definitions["flags"]:
            edges = {position(flag["key"], person["distinct_id"]) * 100 for person in case.people}
            on_edge += any(group["rollout_percentage"] in edges for group in flag["filters"]["groups"])
    assert on_edge > SAMPLE


def test_positions_are_the_contracts_to_the_last_bit():
    # contract §6: a division of integers would give …0004 for the first.
    assert position("beta-search", "user-17") == 0.009101217133290002
    assert position("beta-search", "ünïcødé-😀") == 0.7415212578007152


def test_a_case_reduces_to_one_flag_and_the_cohorts_it_names():
    case = next(case for case in cases(5) if any(leaf["type"] == "cohort" for leaf in filters(case)))
    key = next(
        flag["key"]
        for flag in case.definitions["flags"]
        if any(leaf["type"] == "cohort" for group in flag["filters"]["groups"] for leaf in group["properties"])
    )
    reduced = case.only(key)
    named = {
        str(leaf["value"])
        for group in reduced["flags"][0]["filters"]["groups"]
        for leaf in group["properties"]
        if leaf["type"] == "cohort"
    }
    assert [flag["key"] for flag in reduced["flags"]] == [key]
    assert set(reduced["cohorts"]) == named
    assert reduced["group_type_mapping"] == case.definitions["group_type_mapping"]
