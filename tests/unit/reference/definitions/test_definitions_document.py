"""What makes a document unusable as a whole, and what does not."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from reference import DefinitionsError, parse_definitions
from reference.definitions.document import MAX_INTEGER_DIGITS, MAX_NESTING, blemish, decode, is_text, nests_deeper_than


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (b"", "$", "is not JSON (at character 0)"),
        (b'{"flags":[]', "$", "is not JSON (at character 11)"),
        (b'\xff{"flags":[]}', "$", "is not UTF-8"),
        ('\ufeff{"flags":[]}', "$", "is not JSON (at character 0)"),
        (b"[]", "$", "must be a JSON object"),
        ("null", "$", "must be a JSON object"),
        (b"{}", "$.flags", "must be a list"),
        (b'{"flags":null}', "$.flags", "must be a list"),
        (b'{"flags":{}}', "$.flags", "must be a list"),
        (b'{"flags":"x"}', "$.flags", "must be a list"),
        (b'{"flags":[],"cohorts":[]}', "$.cohorts", "must be an object or null"),
        (b'{"flags":[],"group_type_mapping":1}', "$.group_type_mapping", "must be an object or null"),
        (b"[" * 100_000, "$", f"nests deeper than {MAX_NESTING} levels"),
    ],
)
def test_unusable_document_is_refused_with_its_place(document, path, message):
    with pytest.raises(DefinitionsError) as caught:
        parse_definitions(document)
    assert (caught.value.path, caught.value.message) == (path, message)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda text: text.decode(), json.loads])
def test_document_may_come_as_text_or_as_an_object(form):
    definitions = parse_definitions(form(b'{"flags":[{"key":"f","filters":{"groups":[]}}],"future":1}'))
    assert [flag.key for flag in definitions.flags] == ["f"]
    assert definitions.unknown == {"future": 1}


def test_any_mapping_will_do_for_an_object():
    document = MappingProxyType({"flags": (MappingProxyType({"key": "f", "filters": MappingProxyType({"groups": ()})}),)})
    assert parse_definitions(document).flags[0].defect is None


@pytest.mark.parametrize("empty", [None, {}])
def test_absent_null_and_empty_tables_are_the_same(empty):
    definitions = parse_definitions({"flags": [], "cohorts": empty, "group_type_mapping": empty})
    assert definitions == parse_definitions({"flags": []})
    assert (definitions.cohorts, definitions.group_types, definitions.minimal_flag_called_events) == ({}, {}, False)


@pytest.mark.parametrize(
    ("version", "explicit"), [(2, True), (2.0, True), (1, False), (3, False), ("2", False), (True, False), (None, False)]
)
def test_only_the_number_2_selects_explicit_matching(version, explicit):
    assert parse_definitions({"flags": [], "property_matching_version": version}).explicit_matching is explicit


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (1, False), (None, False)])
def test_minimal_flag_called_events_is_true_or_not(value, expected):
    assert parse_definitions({"flags": [], "minimal_flag_called_events": value}).minimal_flag_called_events is expected


def test_entries_nothing_can_refer_to_are_kept_as_defects():
    document = {
        "flags": [7, {"filters": {}}, {"key": 3}, {"key": "\ud800"}, {"key": "good", "filters": {"groups": []}}],
        "group_type_mapping": {"zero": "a", "-1": "a", "1": 2, "2": "\ud800", "3": "company"},
        "cohorts": {"x": {}, "٣": {}, "9" * 19: {}, "9" * 18: {}},
    }
    definitions = parse_definitions(document)
    assert [flag.key for flag in definitions.flags] == ["good"]
    assert definitions.group_types == {3: "company"}
    assert list(definitions.cohorts) == [int("9" * 18)]
    assert [defect.path for defect in definitions.unusable] == [
        *("$.flags[0].key", "$.flags[1].key", "$.flags[2].key", "$.flags[3].key"),
        *["$.group_type_mapping"] * 4,
        *["$.cohorts"] * 3,
    ]


def test_of_two_flags_with_one_key_the_last_wins():
    flags = [{"key": "a", "id": 1, "filters": {"groups": []}}, {"key": "b"}, {"key": "a", "id": 2, "filters": {"groups": []}}]
    assert [(flag.key, flag.id) for flag in parse_definitions({"flags": flags}).flags] == [("b", 0), ("a", 2)]


def test_integers_are_exact_up_to_the_digits_that_python_reads():
    assert decode("1" * 50) == int("1" * 50)
    assert decode("1" * MAX_INTEGER_DIGITS) == int("1" * MAX_INTEGER_DIGITS)
    assert decode("1" * (MAX_INTEGER_DIGITS + 1)) == float("inf")


def test_depth_is_counted_in_containers():
    assert not nests_deeper_than(1, 0)
    assert not nests_deeper_than("text", 0)
    assert nests_deeper_than([], 0)
    assert not nests_deeper_than(nested(5), 5)
    assert nests_deeper_than(nested(6), 5)
    assert nests_deeper_than({"a": [{"b": {}}]}, 3)
    assert not nests_deeper_than({"a": [{"b": 1}]}, 3)


def test_a_value_that_contains_itself_is_too_deep_and_shared_parts_cost_nothing():
    endless: list[Any] = []
    endless.append(endless)
    assert nests_deeper_than(endless, MAX_NESTING)
    shared: list[Any] = []
    for _ in range(MAX_NESTING):
        shared = [shared, shared]  # 2**256 paths
    assert nests_deeper_than(shared, MAX_NESTING)
    with pytest.raises(DefinitionsError):
        parse_definitions({"flags": endless})


def test_the_deepest_document_is_read_and_one_level_more_is_not():
    deepest = {"flags": [], "more": nested(MAX_NESTING - 1)}
    assert parse_definitions(deepest).unknown == {"more": deepest["more"]}
    with pytest.raises(DefinitionsError, match="deeper"):
        parse_definitions({"flags": [], "more": nested(MAX_NESTING)})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, {"b": "x"}]}, None),
        (float("nan"), ("$", "is not a finite number")),
        ({"a": [1, float("inf")]}, ("$.a[1]", "is not a finite number")),
        ({"a": {"b": "\ud800"}}, ("$.a.b", "contains a lone surrogate")),
        ({"\ud800": 1}, ("$", "contains a lone surrogate")),
        (("x", "\udfff"), ("$[1]", "contains a lone surrogate")),
    ],
)
def test_blemish_names_the_place_of_what_no_service_could_read(value, expected):
    assert blemish(value, "$") == expected


def test_text_is_what_utf_8_can_carry():
    assert is_text("plain")
    assert is_text("ünïcødé 😀")
    assert not is_text("a\ud83d")
