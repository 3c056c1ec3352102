"""Faults as values: JSON there and back, phases in time, seeded chance, edits of every response shape, damaged messages."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import msgspec
import pytest

from harness.faults.catalogue import SCENARIOS, listing
from harness.faults.fault import (
    BadDefinitions,
    Breakage,
    Defect,
    Emptied,
    Endpoint,
    Failing,
    Rule,
    Say,
    Shrunk,
    Slow,
)
from harness.faults.scenario import Scenario
from harness.faults.schedule import Chance, Phase, compressed, phase_at
from harness.faults.semantic.edits import edited, etag_of
from harness.faults.semantic.message import damaged
from reference.definitions.parse import parse_definitions
from reference.response import ReadAnswer, read

RECORD = {
    "reason": {"code": "condition_match", "condition_index": 0, "description": "d"},
    "metadata": {"id": 1, "version": 2, "description": None, "payload": None},
}
UNKNOWN = (
    '{"kind":"earthquake"}',
    '{"kind":"slow"}',
    '{"kind":"slow","seconds":-1}',
    '{"kind":"slow","seconds":1,"x":1}',
)
FULL = {"groups": [{"rollout_percentage": 100}]}
V2 = {
    "errorsWhileComputingFlags": False,
    "flags": {key: {"key": key, "enabled": True, "variant": None, **RECORD} for key in ("a", "b", "c", "d")},
    "requestId": "r",
}
V3 = V2 | {"flags": {key: {"key": key, "value": True, **RECORD} for key in ("a", "b")}}
LEGACY = {"errorsWhileComputingFlags": False, "featureFlags": {"a": True, "b": "red"}, "featureFlagPayloads": {"a": "1"}}
DECIDE_2 = {"featureFlags": {"a": True, "b": "red"}}
DECIDE_1 = {"featureFlags": ["a", "b"]}


def changed(document: dict[str, Any], fault: Any) -> dict[str, Any]:
    return dict(json.loads(edited(json.dumps(document).encode(), fault)))


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_survives_json(name: str) -> None:
    scenario = SCENARIOS[name]
    assert msgspec.json.decode(msgspec.json.encode(scenario), type=Scenario) == scenario


def test_the_eight_outages_and_every_further_fault_are_named_once() -> None:
    assert len(SCENARIOS) == len(listing().splitlines()) == 35
    assert {"retry-storm", "undefined-200", "gateway-timeouts", "partial-errors"} < set(SCENARIOS)
    assert {"rate-limit-flood", "partial-errors-2", "slow", "outdated-200"} < set(SCENARIOS)


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_fault_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(f'{{"fault":{text}}}', type=Rule)


def test_phases_follow_each_other_and_end() -> None:
    first, second = Phase(duration_s=10), Phase(duration_s=20, rules=(Rule(fault=Emptied()),))
    phases = (first, second)
    assert [phase_at(phases, t) for t in (0, 9.9, 10, 29.9, 30)] == [first, first, second, second, None]
    assert [phase.is_calm for phase in phases] == [True, False]


def test_compressing_keeps_faults_and_divides_time() -> None:
    phase = Phase(duration_s=600, rules=(Rule(fault=Slow(seconds=4)),))
    assert compressed((phase,), 60) == (Phase(duration_s=10, rules=phase.rules),)


def test_the_same_seed_draws_the_same_faults_in_about_the_share_that_was_asked() -> None:
    rules = (Rule(fault=Say(status=500), probability=0.34),)
    first, again, other = ([chance.draw(rules, Endpoint.FLAGS) for _ in range(100)] for chance in map(Chance, (1, 1, 2)))
    assert first == again != other
    chance = Chance(7)
    played = sum(chance.draw(rules, Endpoint.FLAGS) is not None for _ in range(2000))
    assert 0.3 < played / 2000 < 0.38


def test_a_rule_is_played_on_its_own_endpoint_only_and_the_first_that_comes_up_wins() -> None:
    flags, everything = Rule(fault=Emptied()), Rule(fault=Say(status=500), endpoint=Endpoint.ALL)
    chance = Chance(0)
    assert chance.draw((flags, everything), Endpoint.FLAGS) is flags
    assert chance.draw((flags, everything), Endpoint.DEFINITIONS) is everything
    assert chance.draw((flags,), Endpoint.DEFINITIONS) is None


def test_jitter_stays_within_its_bounds_and_is_never_negative() -> None:
    chance = Chance(0)
    assert all(0.01 <= chance.around(0.03, 0.02) <= 0.05 for _ in range(200))
    assert all(chance.around(0.0, 1.0) >= 0 for _ in range(200))


@pytest.mark.parametrize("document", [V2, V3, LEGACY, DECIDE_2, DECIDE_1])
def test_an_emptied_answer_keeps_its_shape_and_says_no_error(document: dict[str, Any]) -> None:
    empty = changed(document, Emptied())
    assert empty.keys() == document.keys()
    assert empty.get("errorsWhileComputingFlags") in {None, False}
    assert not empty.get("flags")
    assert not empty.get("featureFlags")


def test_a_shrunk_answer_keeps_the_first_flags_as_they_were() -> None:
    assert changed(V2, Shrunk(kept=0.5))["flags"] == {key: V2["flags"][key] for key in ("a", "b")}  # type: ignore[index]


@pytest.mark.parametrize("document", [V2, V3])
def test_failing_flags_read_as_failed_and_the_others_as_before(document: dict[str, Any]) -> None:
    answer = read(edited(json.dumps(document).encode(), Failing(share=0.5)))
    assert isinstance(answer, ReadAnswer)
    failed = {key for key, record in answer.records.items() if record.failed}
    assert failed == set(sorted(document["flags"])[: len(document["flags"]) // 2])
    assert changed(document, Failing(share=0.5))["errorsWhileComputingFlags"] is True


def test_failing_flags_are_false_in_the_legacy_shape_and_missing_in_decide() -> None:
    assert changed(LEGACY, Failing(share=0.5)) == {
        "errorsWhileComputingFlags": True, "featureFlags": {"a": False, "b": "red"}, "featureFlagPayloads": {"a": "1"},
    }  # fmt: skip
    assert changed(DECIDE_2, Failing(share=0.5)) == {"featureFlags": {"b": "red"}}
    assert changed(DECIDE_1, Failing(share=0.5)) == {"featureFlags": ["b"]}


@pytest.mark.parametrize("defect", list(Defect))
def test_bad_definitions_are_a_new_document_that_spoils_only_its_first_flags(defect: Defect) -> None:
    flags = [{"id": n, "key": key, "active": True, "filters": FULL} for n, key in enumerate("abc")]
    document = {"flags": flags, "group_type_mapping": {}, "cohorts": {}}
    bad = changed(document, BadDefinitions(defect=defect))
    assert bad["flags"][0] != flags[0]
    assert bad["flags"][2] == flags[2]
    assert [flag.key for flag in parse_definitions(bad).flags] == ["a", "b", "c"]
    assert etag_of(json.dumps(bad).encode()) != etag_of(json.dumps(document).encode())


@pytest.mark.parametrize("how", list(Breakage))
def test_a_damaged_message_is_damaged_in_its_own_way(how: Breakage) -> None:
    body = json.dumps(V2).encode()
    head, _, payload = damaged(200, "application/json", body, how)._raw.partition(b"\r\n\r\n")
    said = int(head.partition(b"Content-Length: ")[2] or -1)
    checks = {
        Breakage.TRUNCATED_JSON: said == len(payload) < len(body) and body.startswith(payload),
        Breakage.LENGTH_TOO_LONG: said > len(payload) == len(body),
        Breakage.LENGTH_TOO_SHORT: said < len(payload) == len(body),
        Breakage.CUT_CHUNKS: b"chunked" in head and not payload.endswith(b"0\r\n\r\n"),
        Breakage.BAD_GZIP: b"gzip" in head and payload[:2] == gzip.compress(b"")[:2],
    }
    assert checks[how]
    if how is Breakage.BAD_GZIP:
        with pytest.raises((zlib.error, OSError)):
            gzip.decompress(payload)
