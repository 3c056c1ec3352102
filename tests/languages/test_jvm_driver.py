"""posthog-server's driver: what the SDK asks the service about is declined, what raises has failed, what it refuses is said."""

import contextlib
import json
import subprocess

import pytest

from harness.subjects.catalogue import find
from harness.subjects.child import Child
from harness.subjects.protocol import Status, evaluate
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES, Kind

VERSIONS = [name for name, lane in ALL.items() if lane.kind is Kind.JVM]
pytestmark = pytest.mark.timeout(600)  # the first test to run installs


@pytest.fixture(params=VERSIONS)
async def child(request):
    ensure(ALL[request.param])
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(Child(find(request.param, LANES)))


def flag(key, *properties, rollout=100, **filters):
    conditions = [{"properties": list(properties), "rollout_percentage": rollout}]
    return {"id": 1, "key": key, "name": key, "active": True, "filters": {"groups": conditions, "payloads": {}, **filters}}


def document(*flags, **cohorts):
    return {"flags": list(flags), "group_type_mapping": {"0": "organization"}, "cohorts": cohorts}


def asks(operator, value, **more):
    return {"key": "p", "type": "person", "operator": operator, "value": value, **more}


async def answers(child, definitions, flag_keys=None, **person):
    assert (await child.load(definitions)).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a", **person}, flag_keys)])
    return {key: (verdict.status, verdict.value) for key, verdict in reply.flags.items()}


async def test_what_the_sdk_would_ask_the_service_about_is_declined_and_hides_nothing_of_the_same_person(child):
    definitions = document(flag("asks", asks("exact", "x")), flag("strange", asks("of tomorrow", "x")), flag("on"))
    told = await answers(child, definitions)
    assert told == {"asks": (Status.INCONCLUSIVE, None), "strange": (Status.INCONCLUSIVE, None), "on": (Status.VALUE, True)}


async def test_an_evaluator_that_raises_fails_the_flag_and_no_other(child):
    endless = {"1": {"type": "AND", "values": [asks("in", 1, type="cohort")]}}
    definitions = document(flag("endless", asks("in", 1, type="cohort")), flag("on"), **endless)
    assert await answers(child, definitions) == {"endless": (Status.FAILED, None), "on": (Status.VALUE, True)}
    assert child.restarts == 0


async def test_definitions_that_the_sdk_refuses_are_refused_and_the_next_ones_are_taken(child):
    refused = await child.load(document(flag("some", rollout=33.3)))
    assert refused.error.kind == "refused"
    assert "33.3" in refused.error.message
    assert await answers(child, document(flag("on"))) == {"on": (Status.VALUE, True)}


async def test_only_the_flags_asked_for_are_answered(child):
    definitions = document(flag("one"), flag("two"))
    assert await answers(child, definitions, ["two"]) == {"two": (Status.VALUE, True)}
    assert await answers(child, definitions, []) == {}


async def test_variants_and_payloads_are_handed_out(child):
    variants = {"variants": [{"key": "blue", "rollout_percentage": 100}]}
    assert (await child.load(document(flag("colour", multivariate=variants, payloads={"blue": '{"a":1}'})))).ok
    (reply,) = await child.ask([evaluate({"distinct_id": "a"})])
    assert (reply.flags["colour"].value, reply.flags["colour"].payload) == ("blue", '{"a":1}')


async def test_whole_numbers_go_in_as_an_application_writes_them(child):
    definitions = document(flag("whole", asks("regex", "^7$")), flag("more", asks("gt", 6)))
    assert await answers(child, definitions, person_properties={"p": 7}) == {
        "whole": (Status.VALUE, True),
        "more": (Status.VALUE, True),
    }


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
