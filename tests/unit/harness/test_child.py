"""A subject's process: what it costs when it dies, hangs, lies or eats memory."""

import sys
from pathlib import Path

import pytest

from harness.subjects.child import Child, Launch, Trouble, TroubleKind, UnusableSubject
from harness.subjects.protocol import Reply, evaluate

SCRIPT = Path(__file__).with_name("subject_script.py")
DEFINITIONS = {"flags": [{"key": "a"}, {"key": "b"}]}


def launch(**limits):
    return Launch(name="scripted", command=(sys.executable, "-S", "-I", str(SCRIPT)), **limits)


def person(distinct_id):
    return evaluate({"distinct_id": distinct_id})


def shape(outcomes):
    return [outcome.kind if isinstance(outcome, Trouble) else "reply" for outcome in outcomes]


async def test_a_batch_is_answered_in_order():
    async with Child(launch()) as child:
        await child.load(DEFINITIONS)
        outcomes = await child.ask([person("x"), person("wrong"), person("y")])
    values = [outcome.flags["a"].value for outcome in outcomes]
    assert (child.version, values) == ("1.0", [True, "wrong", True])


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("crash", TroubleKind.CRASH),
        ("garbage", TroubleKind.GARBAGE),
        ("liar", TroubleKind.GARBAGE),
        ("greedy", TroubleKind.CRASH),
    ],
)
async def test_trouble_costs_one_request_and_the_rest_is_asked_of_a_new_process(who, kind):
    async with Child(launch(memory_bytes=256 << 20)) as child:
        await child.load(DEFINITIONS)
        outcomes = await child.ask([person("x"), person(who), person("y"), person("z")])
    assert shape(outcomes) == ["reply", kind, "reply", "reply"]
    assert child.restarts == 1
    assert outcomes[2].flags["b"].value is True


async def test_a_silent_subject_is_given_up_after_its_time():
    async with Child(launch(answer_s=0.2)) as child:
        await child.load(DEFINITIONS)
        outcomes = await child.ask([person("hang")])
    assert shape(outcomes) == [TroubleKind.HANG]


async def test_a_document_that_kills_the_subject_is_trouble_and_the_next_one_loads():
    async with Child(launch()) as child:
        assert isinstance(await child.load({"deadly": True}), Trouble)
        assert isinstance(await child.load(DEFINITIONS), Reply)
        assert shape(await child.ask([person("x")])) == ["reply"]


async def test_trouble_with_every_person_ends():
    async with Child(launch()) as child:
        await child.load(DEFINITIONS)
        assert shape(await child.ask([person("crash")] * 3)) == [TroubleKind.CRASH] * 3
    assert child.restarts == 3


@pytest.mark.parametrize("command", [("/nonexistent/program",), (sys.executable, "-c", "raise SystemExit(3)")])
async def test_a_subject_that_does_not_start_is_unusable_and_named(command):
    with pytest.raises(UnusableSubject, match="absent"):
        async with Child(Launch(name="absent", command=command)):
            pass


async def test_with_patience_for_one_trouble_the_rest_shares_it_unasked():
    async with Child(launch()) as child:
        await child.load(DEFINITIONS)
        outcomes = await child.ask([person("x"), person("crash"), person("y"), person("z")], patience=1)
        assert shape(outcomes) == ["reply", *[TroubleKind.CRASH] * 3]
        assert shape(await child.ask([person("y")], patience=1)) == ["reply"]
