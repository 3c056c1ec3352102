"""The line protocol, line by line, in this process."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reference.jsonlines import CAPABILITIES, NAME, Session, serve

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENTERPRISE = {"key": "plan", "type": "person", "operator": "exact", "value": "enterprise"}
RECENT = {"key": "seen", "type": "person", "operator": "is_date_after", "value": "-1d"}
DOCUMENT = {
    "flags": [
        {"key": "all", "id": 1, "filters": {"groups": [{}], "payloads": {"true": '{"a":1}'}}},
        {"key": "some", "id": 2, "filters": {"groups": [{"properties": [ENTERPRISE]}]}},
        {"key": "recent", "id": 3, "filters": {"groups": [{"properties": [RECENT]}]}},
        {"key": "gone", "id": 4, "active": False, "filters": {"groups": []}},
        {"key": "broken", "id": 5, "filters": None},
    ]
}


def session() -> Session:
    return Session(lambda: NOW)


def ask(one: Session, **request: Any) -> Any:
    return json.loads(one.answer(json.dumps({"id": 1, **request}).encode()))


@pytest.fixture
def loaded() -> Session:
    one = session()
    assert ask(one, op="load", definitions=DOCUMENT) == {"id": 1, "ok": True}
    return one


def evaluated(one: Session, key: str, **request: Any) -> Any:
    return ask(one, **{"op": "evaluate", "context": {"distinct_id": "u"}, **request})["flags"][key]


def test_describe_says_who_answers_and_what_it_can_do():
    assert ask(session(), op="describe") == {"id": 1, "name": NAME, "version": "0.1.0", "capabilities": list(CAPABILITIES)}


def test_an_answer_is_one_line():
    answer = session().answer(b'{"id":"a\\nb","op":"describe"}\n')
    assert answer.endswith(b"\n")
    assert answer.count(b"\n") == 1


def test_evaluation_before_loading_is_refused():
    assert ask(session(), op="evaluate", context={"distinct_id": "u"})["error"]["kind"] == "not_loaded"


def test_value_with_payload_and_reason(loaded):
    assert evaluated(loaded, "all") == {
        "status": "value",
        "value": True,
        "payload": '{"a":1}',
        "reason": {"code": "condition_match", "condition_index": 0},
    }


def test_inconclusive_and_failed_flags_have_no_value_and_say_why(loaded):
    unsure, broken = evaluated(loaded, "some"), evaluated(loaded, "broken", properties_complete=True)
    assert (unsure["status"], unsure["value"], unsure["payload"], unsure["why"]) == (
        "inconclusive",
        None,
        None,
        "property_unknown",
    )
    assert (broken["status"], broken["value"], broken["reason"]["code"]) == ("failed", None, "flag_data_parsing_error")


def test_omitted_flags_are_absent(loaded):
    assert set(ask(loaded, op="evaluate", context={"distinct_id": "u"})["flags"]) == {"all", "some", "recent", "broken"}
    assert set(ask(loaded, op="evaluate", context={"distinct_id": "u"}, flag_keys=["all", "x"])["flags"]) == {"all"}


def test_properties_complete_answers_as_a_server_would(loaded):
    assert evaluated(loaded, "some", properties_complete=True)["value"] is False


def test_the_process_clock_stands_in_for_a_missing_instant(loaded):
    sent = {"distinct_id": "u", "person_properties": {"seen": "2026-11-22T00:00:00Z"}}
    assert evaluated(loaded, "recent", context=sent)["value"] is True
    assert evaluated(loaded, "recent", context={**sent, "now": "2026-11-24T00:00:00Z"})["value"] is False


def test_loading_replaces_and_refused_definitions_leave_the_earlier_ones(loaded):
    refused = ask(loaded, op="load", definitions={"flags": 1})
    assert refused["error"] == {"kind": "bad_definitions", "message": "$.flags: must be a list"}
    assert evaluated(loaded, "all")["value"] is True
    assert ask(loaded, op="load", definitions={"flags": []}) == {"id": 1, "ok": True}
    assert ask(loaded, op="evaluate", context={"distinct_id": "u"}) == {"id": 1, "flags": {}}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"", "bad_json"),
        (b"\xff", "bad_json"),
        (b"{", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"7", "bad_request"),
        (b"[]", "bad_request"),
        (b"{}", "bad_request"),
        (b'{"op":"dance"}', "bad_request"),
        (b'{"op":["load"]}', "bad_request"),
        (b'{"op":"load"}', "bad_definitions"),
        (b'{"op":"load","definitions":"{}"}', "bad_definitions"),
        (b'{"op":"describe","x":' + b"[" * 300 + b"]" * 300 + b"}", "bad_request"),
    ],
)
def test_a_line_that_cannot_be_carried_out_is_answered_with_its_kind(line, kind):
    answer = json.loads(session().answer(line))
    assert (answer["id"], answer["error"]["kind"]) == (None, kind)
    assert answer["error"]["message"]


@pytest.mark.parametrize("identity", [0, -5, 10**30, 1.5, "x", "\ud800", True, None])
def test_ids_are_echoed(identity):
    assert ask(session(), id=identity, op="dance")["id"] == identity


@pytest.mark.parametrize("identity", ["[1]", "{}", "NaN", "1e999"])
def test_ids_that_no_answer_can_carry_become_null(identity):
    assert json.loads(session().answer(f'{{"id":{identity},"op":"describe"}}'.encode()))["id"] is None


def test_a_bug_is_answered_by_its_type_and_does_not_end_the_conversation(loaded):
    def broken_clock() -> datetime:
        raise ZeroDivisionError("with details")

    one = Session(broken_clock)
    ask(one, op="load", definitions=DOCUMENT)
    assert ask(one, op="evaluate", context={"distinct_id": "u"})["error"] == {
        "kind": "internal",
        "message": "ZeroDivisionError",
    }
    assert ask(one, op="describe")["name"] == NAME


def test_a_stream_is_answered_line_by_line_and_long_lines_are_read_past():
    describe = b'{"id":1,"op":"describe"}'
    limit = len(describe)
    lines = [describe, b" " * (limit + 1), b" " * (3 * limit), b" " * limit, describe]
    sink = io.BytesIO()
    serve(io.BytesIO(b"\n".join(lines)), sink, max_line_bytes=limit)
    answers = [json.loads(line) for line in sink.getvalue().splitlines()]
    kinds = [answer.get("error", {}).get("kind", "ok") for answer in answers]
    assert kinds == ["ok", "line_too_long", "line_too_long", "bad_json", "ok"]


def test_a_last_line_that_is_too_long_and_has_no_end_is_answered():
    sink = io.BytesIO()
    serve(io.BytesIO(b" " * 100), sink, max_line_bytes=10)
    assert json.loads(sink.getvalue())["error"]["kind"] == "line_too_long"
