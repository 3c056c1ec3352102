"""What is hashed: identifiers of any text, cut and made well-formed as the service does (contract §5.8)."""

from __future__ import annotations

import pytest

from reference.rules_v1.subject import well_formed
from tests.unit.reference.evaluation.building import condition, decide, flag

SHARES = [{"key": f"v{number}", "rollout_percentage": 1} for number in range(100)]
SPLIT = {"multivariate": {"variants": SHARES}}
"""A hundred variants: two identifiers that give the same one are most likely one identifier."""


def variant(distinct_id="user-1", **asked):
    return decide(flag("f", condition(), filters=SPLIT), distinct_id=distinct_id, **asked).variant


def group_variant(key):
    of_group = {"aggregation_group_type_index": 0, **SPLIT}
    return decide(flag("f", condition(), filters=of_group), groups={"organization": key}, group_properties={}).variant


@pytest.mark.parametrize("code", [0xD800, 0xDABC, 0xDFFF])
def test_half_characters_are_hashed_as_replacement_characters(code):
    assert variant(f"é{chr(code)}x") == variant("é\ufffdx")
    assert group_variant(f"é{chr(code)}x") == group_variant("é\ufffdx")


def test_whole_characters_stay_as_they_are():
    assert well_formed("aé\ud7ff\ue000😀") == "aé\ud7ff\ue000😀"
    assert well_formed("a\ud800b\udfffc") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_identifiers_are_cut_to_200_scalars_and_not_before(letter):
    assert variant(letter * 200) == variant(letter * 200 + "tail") == variant(letter * 201)
    assert variant(letter * 199 + "p") != variant(letter * 199 + "q")
    assert group_variant(letter * 200) == group_variant(letter * 201)


def test_empty_identifier_is_one_like_any_other():
    assert variant("") in {share["key"] for share in SHARES}
    assert variant("") == variant("", server=True)


@pytest.mark.parametrize(("key", "text"), [(7, "7"), (2.5, "2.5"), ("7", "7")])
def test_group_keys_are_hashed_as_their_text(key, text):
    assert group_variant(key) == group_variant(text)


@pytest.mark.parametrize("key", ["", None, True, False, [], {}, ["7"]])
def test_group_keys_of_other_kinds_are_no_keys(key):
    of_group = {"aggregation_group_type_index": 0}
    outcome = decide(flag("f", condition(), filters=of_group), groups={"organization": key})
    assert (outcome.value, str(outcome.reason)) == (False, "no_group_type")


@pytest.mark.parametrize("source", ["device_id", "property"])
def test_flag_bucketed_by_device_hashes_the_device_wherever_it_was_sent(source):
    sent = {"device_id": "device-9"} if source == "device_id" else {"person_properties": {"$device_id": "device-9"}}
    by_device = flag("f", condition(), filters=SPLIT, bucketing_identifier="device_id")
    assert decide(by_device, distinct_id="user-1", **sent).variant == variant("device-9")


def test_device_id_of_the_request_wins_over_the_property_and_empty_ones_count_as_absent():
    by_device = flag("f", condition(), filters=SPLIT, bucketing_identifier="device_id")
    both = {"device_id": "device-1", "person_properties": {"$device_id": "device-2"}}
    assert decide(by_device, **both).variant == variant("device-1")
    for sent in ({"device_id": ""}, {"person_properties": {"$device_id": ""}}, {"person_properties": {"$device_id": 7}}):
        outcome = decide(by_device, **sent)
        assert (outcome.value, str(outcome.reason)) == (False, "out_of_rollout_bound")


def test_flag_bucketed_by_device_needs_none_where_no_hash_is_asked():
    by_device = flag("f", condition(), bucketing_identifier="device_id")
    assert decide(by_device).value is True
    pinned = flag("f", condition(variant="v3"), filters=SPLIT, bucketing_identifier="device_id")
    assert decide(pinned).variant == "v3"
