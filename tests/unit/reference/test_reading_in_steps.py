"""Definitions read and compiled piece by piece are those read and compiled at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reference import Context, Definitions, DefinitionsError, compile_definitions, parse_definitions
from reference.definitions.parse import parse_in_steps
from reference.evaluate import compile_in_steps
from reference.steps import Steps, finish
from tests.bench.reference.documents import document, persons

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
FLAG: dict[str, Any] = {"key": "a", "filters": {"groups": [{"properties": []}]}}
DEEP = '{"a":' * 300 + "1" + "}" * 300

ODD = (
    b"",
    b"[]",
    b"{}",
    b"not json",
    b'{"flags": []} trailing',
    b'\xef\xbb\xbf{"flags": []}',
    b'{"flags": [], "flags": [{"key": "last"}]}',
    b'{"flags": [{"key": "a", "key": "b"}]}',
    b'{"flags": null}',
    b'{"flags": {}}',
    b'{"flags": [1, null, "x", [], {}, {"key": 1}]}',
    b'{"flags": [{"key": "\xff"}]}',
    b'{"flags": [{"key": "\\ud800"}]}',
    b'{"flags": [], "\\ud800": 1}',
    b'{"flags": [{"key": "a", "filters": {"groups": [{"rollout_percentage": NaN}]}}]}',
    b'{"flags": [{"key": "a", "id": 123456789012345678901234567890, "x": 1e999}]}',
    b'{"flags": [{"key": "a\x01"}]}',
    b'{"flags": [], "a\x01": 1}',
    b'{"flags": [], "cohorts": null, "group_type_mapping": null}',
    b'{"flags": [], "cohorts": []}',
    b'{"flags": [], "group_type_mapping": []}',
    b'{"flags": [], "cohorts": {"1": null, "x": {}, "2": {"type": "AND", "values": []}, "1": {}}}',
    b'{"flags": [], "cohorts":  null }',
    b'{"flags": [], "property_matching_version": 2, "minimal_flag_called_events": true, "new": [1.0, 1, -0, -0.0]}',
    f'{{"flags": [{{"key": "a", "filters": {DEEP}}}]}}'.encode(),
    f'{{"flags": [], "cohorts": {{"1": {DEEP}}}}}'.encode(),
    f'{{"flags": [], "more": {DEEP}}}'.encode(),
    *(f'{{"flags": [{{"key": "a", "x": {"[" * n}{"]" * n}}}]}}'.encode() for n in (252, 253, 254)),
    *(f'{{"flags": [], "x": {"[" * n}{"]" * n}}}'.encode() for n in (254, 255, 256)),
    b'{"flags": ' + b"[" * 100_000,
)


def at_once(body: bytes) -> Definitions | str:
    try:
        return parse_definitions(body)
    except DefinitionsError as error:
        return str(error)


def in_steps(body: bytes) -> Definitions | str:
    try:
        return finish(parse_in_steps(body))
    except DefinitionsError as error:
        return str(error)


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_an_odd_document_is_read_in_steps_as_it_is_read_at_once(body: bytes) -> None:
    assert repr(in_steps(body)) == repr(at_once(body))  # repr tells 1 from 1.0 and True, and -0.0 from 0.0


def test_a_large_document_gives_the_same_answers_either_way() -> None:
    body = json.dumps(document(300)).encode()
    whole, pieces = parse_definitions(body), finish(parse_in_steps(body))
    assert pieces == whole
    for person in persons()[:20]:
        context = Context(**person)
        expected = compile_definitions(whole).evaluate(context, now=NOW)
        assert finish(compile_in_steps(pieces)).evaluate(context, now=NOW) == expected


def test_reading_and_compiling_pause_at_least_once_a_flag_and_once_a_cohort() -> None:
    content = document(50)
    body = json.dumps(content).encode()
    pauses = len(content["flags"]) + len(content["cohorts"])
    assert _pauses(parse_in_steps(body)) >= pauses
    assert _pauses(compile_in_steps(parse_definitions(body))) >= pauses


def test_text_is_read_in_pieces_of_bounded_size() -> None:
    long = [{**FLAG, "key": f"f{number}", "name": "x" * 10_000} for number in range(20)]
    body = json.dumps({"flags": long}).encode()
    assert _pauses(parse_in_steps(body)) >= 40


def _pauses(steps: Steps[Any]) -> int:
    return sum(1 for _ in steps)
