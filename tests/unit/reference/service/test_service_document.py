"""The document that the definitions endpoint serves, made from the stored one (contract §4.3)."""

from __future__ import annotations

import json
from typing import Any

from reference.service.project.file import read_file
from reference.service.project.project import build_project

COHORT = {"type": "AND", "values": [{"key": "plan", "value": "pro", "type": "person", "operator": "exact"}]}


def flag(key: str, *leaves: dict[str, Any], number: int = 0, **fields: Any) -> dict[str, Any]:
    filters = {"groups": [{"properties": list(leaves)}], **fields.pop("filters", {})}
    return {"id": number, "key": key, "active": True, "filters": filters, **fields}


def needs(name: str) -> dict[str, Any]:
    return {"key": name, "type": "flag", "operator": "flag_evaluates_to", "value": True}


def within(cohort: int) -> dict[str, Any]:
    return {"key": "id", "type": "cohort", "operator": "in", "value": cohort}


def served(*flags: Any, **document: Any) -> dict[str, Any]:
    text = json.dumps({"flags": list(flags), **document}).encode()
    return json.loads(build_project(read_file(text)[0]).served.body)


def keys(document: dict[str, Any]) -> list[str]:
    return [flag["key"] for flag in document["flags"]]


def chains(document: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    leaves = {flag["key"]: flag["filters"]["groups"][0]["properties"] for flag in document["flags"]}
    return {key: (found[0]["key"], found[0]["dependency_chain"]) for key, found in leaves.items() if found}


def test_an_empty_project_has_the_same_keys_with_empty_values():
    tables = {"flags": [], "group_type_mapping": {}, "cohorts": {}}
    assert served() == {**tables, "minimal_flag_called_events": False, "property_matching_version": 1}


def test_inactive_flags_are_listed_deleted_ones_are_not():
    assert keys(served(flag("b", active=False), flag("a"), flag("c", deleted=True))) == ["a", "b"]


def test_flags_of_another_format_go_with_everything_that_depends_on_them():
    document = served(
        flag("v2", number=1, filters={"version": 2}),
        flag("direct", needs("1")),
        flag("behind", needs("direct")),
        flag("odd", filters={"version": "1"}),
        flag("fine", filters={"version": 1}),
    )
    assert keys(document) == ["fine"]


def test_dependencies_by_id_become_keys_with_their_chain_in_evaluation_order():
    document = served(flag("a", number=1), flag("b", needs("1"), number=2), flag("c", needs("2"), number=3))
    assert chains(document) == {"b": ("a", ["a"]), "c": ("b", ["a", "b"])}


def test_missing_self_referring_and_cyclic_targets_have_an_empty_chain():
    document = served(flag("gone", needs("99")), flag("self", needs("self")), flag("x", needs("y")), flag("y", needs("x")))
    assert chains(document) == {"gone": ("99", []), "self": ("self", []), "x": ("y", []), "y": ("x", [])}


def test_cohorts_are_unwrapped_and_only_the_reachable_dynamic_ones_are_served():
    nested = {"type": "OR", "values": [{"key": "id", "type": "cohort", "value": 1, "operator": "in"}]}
    cohorts = {"1": {"filters": {"properties": COHORT}}, "2": nested, "3": COHORT, "4": {"is_static": True}}
    document = served(flag("a", within(2)), flag("b", within(4)), cohorts=cohorts)
    assert document["cohorts"] == {"1": COHORT, "2": nested}


def test_flags_using_a_cohort_nobody_can_read_are_left_out():
    assert keys(served(flag("a", within(1)), flag("b"), cohorts={"1": {"type": "XOR", "values": []}})) == ["b"]


def test_unknown_keys_of_the_document_and_of_flags_are_kept():
    document = served(flag("a", tags=["x"]), later={"n": 1.0})
    assert document["later"] == {"n": 1.0}
    assert document["flags"][0]["tags"] == ["x"]


def test_odd_flags_without_a_key_are_not_served():
    assert keys(served(flag("a"), 7, {"id": 1})) == ["a"]
