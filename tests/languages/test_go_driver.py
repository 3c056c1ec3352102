"""posthog-go's driver: what the SDK raises costs one flag, what it refuses is said, and a line that is none is answered."""

import contextlib
import json
import subprocess

import pytest

from harness.subjects.catalogue import find
from harness.subjects.child import Child
from harness.subjects.protocol import Status, evaluate
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES, Kind

VERSIONS = [name for name, lane in ALL.items() if lane.kind is Kind.GO]
pytestmark = pytest.mark.timeout(600)  # the first test to run installs


@pytest.fixture(params=VERSIONS)
async def child(request):
    ensure(ALL[request.param])
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(Child(find(request.param, LANES)))


def flag(key, *properties, rollout=100, **filters):
    conditions = [{"properties": list(properties), "rollout_percentage": rollout}]
    return {"key": key, "active": True, "filters": {"groups": conditions, "payloads": {}, **filters}}


def document(*flags):
    return {"flags": list(flags), "group_type_mapping": {"0": "organization"}, "cohorts": {}}


def asks(operator, value):
    return {"key": "p", "type": "person", "operator": operator, "value": value}


async def answers(child, flags, **person):
    assert (await child.load(document(*flags))).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a", **person})])
    return {key: (verdict.status, verdict.value) for key, verdict in reply.flags.items()}


async def test_a_panic_in_the_sdk_fails_the_flag_that_raised_it_and_no_other(child):
    flags = [flag("on"), flag("odd", asks("exact", ["x"])), flag("asks", asks("regex", "x"))]
    flags[1]["filters"]["groups"][0]["properties"][0]["value"] = [["x"]]
    told = await answers(child, flags, person_properties={"p": ["x"]})
    assert told == {"on": (Status.VALUE, True), "odd": (Status.FAILED, None), "asks": (Status.VALUE, True)}
    assert child.restarts == 0


async def test_what_cannot_be_decided_locally_is_declined_and_a_payload_is_handed_out(child):
    told = await answers(child, [flag("asks", asks("exact", "x")), flag("strange", asks("semver_eq", "1.0.0"))])
    assert {status for status, _ in told.values()} == {Status.INCONCLUSIVE}
    assert (await child.load(document(flag("on", payloads={"true": '{"a":1}'})))).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a"})])
    assert reply.flags["on"].payload == '{"a":1}'


async def test_definitions_that_the_sdk_refuses_are_refused_and_the_next_ones_are_taken(child):
    refused = await child.load(document(flag("some", rollout=33.3)))
    assert refused.error.kind == "refused"
    assert await answers(child, [flag("on")]) == {"on": (Status.VALUE, True)}


async def test_whole_numbers_go_in_as_an_application_writes_them(child):
    flags = [flag("whole", asks("not_regex", "^7$")), flag("more", asks("gt", 6))]
    told = await answers(child, flags, person_properties={"p": 7})
    assert told == {"whole": (Status.VALUE, False), "more": (Status.VALUE, True)}


def test_every_line_is_answered():
    ensure(ALL[VERSIONS[0]])
    lines = "no json\n[]\n" + json.dumps({"id": 7, "op": "dance"}) + "\n" + json.dumps({"id": "x", "op": "describe"}) + "\n"
    command = find(VERSIONS[0], LANES).command
    said = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60).stdout
    replies = [json.loads(line) for line in said.splitlines()]
    assert [(one["id"], one.get("error", {}).get("kind")) for one in replies] == [
        (None, "bad_json"),
        (None, "bad_json"),
        (7, "bad_request"),
        ("x", None),
    ]
