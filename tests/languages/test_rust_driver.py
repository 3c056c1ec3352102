"""posthog-rs's driver and lane: hashes are verified, refusals said, numbers and instants as an application has them."""

import contextlib
import json
import subprocess

import pytest

from harness.subjects.catalogue import find
from harness.subjects.child import Child, Trouble, TroubleKind
from harness.subjects.protocol import Status, evaluate
from tools.sdks import lanes
from tools.sdks.compiled import crates, rust
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES, Kind
from tools.sdks.unavailable import Unavailable

VERSIONS = [name for name, lane in ALL.items() if lane.kind is Kind.RUST]
ABANDONED = "a" * 64
pytestmark = pytest.mark.timeout(1900)  # the first test to run installs


@pytest.fixture(params=VERSIONS)
async def child(request):
    ensure(ALL[request.param])
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(Child(find(request.param, LANES)))


def flag(key, *properties, **filters):
    conditions = [{"properties": list(properties), "rollout_percentage": 100}]
    return {"key": key, "active": True, "filters": {"groups": conditions, "payloads": {}, **filters}}


def document(*flags):
    return {"flags": list(flags), "group_type_mapping": {}, "cohorts": {}}


def asks(operator, value):
    return {"key": "p", "type": "person", "operator": operator, "value": value}


async def answers(child, flags, **person):
    assert (await child.load(document(*flags))).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a", **person})])
    return {key: (verdict.status, verdict.value) for key, verdict in reply.flags.items()}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_crate_whose_hash_differs_from_the_locks_is_not_built(name, tmp_path, monkeypatch):
    lane = ALL[name]
    graph = crates.parse((lane.lock / crates.NAME).read_text())
    forged = [crate._replace(sha256=ABANDONED) if crate.name == lane.sdk else crate for crate in graph]
    copy = tmp_path / lane.lock.name
    copy.mkdir()
    (copy / "Cargo.toml").write_bytes((lane.lock / "Cargo.toml").read_bytes())
    (copy / crates.NAME).write_text(crates.render(forged))
    monkeypatch.setattr(lanes, "LOCKS", tmp_path)
    monkeypatch.setattr(lanes, "LANES", tmp_path)
    lane.home.mkdir(exist_ok=True)
    with pytest.raises(Unavailable, match=f"unable to verify that `{lane.sdk} v{lane.version}` is the same"):
        rust.install(lane)


async def test_what_cannot_be_decided_locally_is_declined_and_a_payload_is_handed_out(child):
    told = await answers(child, [flag("asks", asks("exact", "x")), flag("strange", asks("between", [1, 2]))])
    assert {status for status, _ in told.values()} == {Status.INCONCLUSIVE}
    assert (await child.load(document(flag("on", payloads={"true": '"1"'})))).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a"})])
    assert reply.flags["on"].payload == '"1"'


async def test_definitions_that_the_sdk_refuses_are_refused_and_the_next_ones_are_taken(child):
    refused = await child.load(document({**flag("some"), "key": 7}))
    assert refused.error.kind == "refused"
    assert await answers(child, [flag("on")]) == {"on": (Status.VALUE, True)}


async def test_a_decimal_arrives_as_it_was_written(child):
    told = await answers(
        child, [flag("exact", asks("exact", "15.557511871752057"))], person_properties={"p": 15.557511871752057}
    )
    assert told == {"exact": (Status.VALUE, True)}


async def test_the_instant_that_a_request_names_is_now_and_then_the_machines_is_again(child):
    assert "clock" in child.capabilities
    lately, sent = flag("lately", asks("is_date_after", "-1h")), {"p": "2024-03-31T11:30:00Z"}
    assert await answers(child, [lately], person_properties=sent, now="2024-03-31T12:00:00+00:00") == {
        "lately": (Status.VALUE, True)
    }
    assert await answers(child, [lately], person_properties=sent) == {"lately": (Status.VALUE, False)}


async def test_a_panic_in_the_sdk_is_a_crash_and_the_next_person_is_answered(child):
    assert (await child.load(document(flag("dated", asks("is_date_after", "2024-01-01"))))).ok
    people = [{"distinct_id": "a", "person_properties": {"p": value}} for value in ("-ü", "2024-06-01")]
    crash, reply = await child.ask([evaluate(person) for person in people])
    assert isinstance(crash, Trouble)
    assert crash.kind is TroubleKind.CRASH
    assert reply.flags["dated"].value is True


def test_every_line_is_answered():
    ensure(ALL[VERSIONS[0]])
    lines = "no json\n[]\n" + json.dumps({"id": 7, "op": "dance"}) + "\n" + json.dumps({"id": "x", "op": "describe"}) + "\n"
    command = find(VERSIONS[0], LANES).command
    said = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60).stdout
    replies = [json.loads(line) for line in said.splitlines()]
    assert [(one["id"], one.get("error", {}).get("kind")) for one in replies] == [
        (None, "bad_json"),
        (None, "bad_request"),
        (7, "bad_request"),
        ("x", None),
    ]
