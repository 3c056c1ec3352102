"""Who is held out: what a holdout hashes, for persons, groups and continuity flags (contract §5.4, §5.8)."""

from __future__ import annotations

import pytest

from tests.unit.reference.evaluation.building import condition, evaluate, flag

SHARES = range(5, 100, 10)


def held_out(flag_filters=None, **asked):
    """Return for which exclusion percentages somebody is held out."""
    more = {"ensure_experience_continuity": True} if asked.pop("continued", False) else {}
    found = []
    for share in SHARES:
        filters = {**(flag_filters or {}), "holdout": {"id": 7, "exclusion_percentage": share}}
        outcome = evaluate(flag("f", condition(), filters=filters, **more), **asked).outcomes["f"]
        if outcome.variant == "holdout-7":
            found.append(share)
    return found


def test_holdouts_grow_with_their_share_and_people_differ():
    found = {name: held_out(distinct_id=name) for name in ("user-1", "user-2", "user-3", "user-4", "")}
    assert all(shares == [share for share in SHARES if share >= min(shares)] for shares in found.values())
    assert len({len(shares) for shares in found.values()}) > 1


def test_group_flag_without_a_group_hashes_the_empty_text():
    of_group = {"aggregation_group_type_index": 0}
    assert held_out(of_group, distinct_id="user-1") == held_out(distinct_id="")
    assert held_out(of_group, groups={"organization": "user-2"}, group_properties={}) == held_out(distinct_id="user-2")


@pytest.mark.parametrize("anonymous", ["user-3", "user-4", "user-5"])
def test_holdout_looks_at_the_anonymous_id_for_continuity_flags_only(anonymous):
    assert held_out(distinct_id="user-1", anon_distinct_id=anonymous) == held_out(distinct_id="user-1")
    continued = held_out(distinct_id="user-1", anon_distinct_id=anonymous, continued=True, server=True)
    assert continued == held_out(distinct_id=anonymous)


def test_holdout_never_looks_at_a_stored_override():
    stored = held_out(distinct_id="user-1", hash_key_overrides={"f": "user-2"}, continued=True)
    assert stored == held_out(distinct_id="user-1")
