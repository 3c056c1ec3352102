"""`bypass` and `observe` change nothing: over every scenario, what the client gets is what the service said, byte for byte.

The proxy has known callers' answers in memory and judges everything as ever in `observe`; so each scenario tempts it to answer
otherwise. Compared are status, body and every header line but two closed lists: what belongs to one connection, and what the
edge says for itself whatever the line does (decision 0166). Chances are made certainties, because the service and the proxy
are asked one after the other; delays are played two hundred times as fast.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import Breakage, Broken, How, Say, Slow
from harness.faults.schedule import Phase
from proxy.answer.answer import Source, Trouble
from proxy.answer.request import ProjectName, UpstreamName
from proxy.answer.switches import Turn
from proxy.upstream.breaker.state import State
from tests.faults.scene import USERS, Scene
from tests.wire.proxy_line.house import TOKEN, Reply, send

PER_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
"""`Content-Length` says how the body is framed on this connection; the body itself is compared."""
CORS = "access-control-"
VARY = frozenset({"origin", "access-control-request-method", "access-control-request-headers"})
"""Whose origin may read an answer is the edge's to say: upstream's own lines are about its own host."""
NO_ANSWER_S = 2.0
HASTE = 200.0
UNANSWERED = frozenset({How.SILENCE, How.HANG, How.DRIP, How.HALF_OPEN})
"""Nobody who asks, or asks over a connection that was there, has a whole answer before an SDK gives up, proxy or not."""
AS_DECIDE = ("X-Original-Endpoint", "decide")
"""What stands in front of the service tells it so; the proxy stands there too (contract §1.2)."""

JSON = (("Content-Type", "application/json"), ("User-Agent", "posthog-python/7.91.1"))
QUESTIONS: dict[str, dict[str, Any]] = {
    "known": {"body": {"token": TOKEN, "distinct_id": USERS[0]}},
    "stranger": {"body": {"token": TOKEN, "distinct_id": "stranger"}},
    "some flags": {"body": {"token": TOKEN, "distinct_id": USERS[1], "flag_keys_to_evaluate": ["on", "half"]}},
    "first version": {"body": {"token": TOKEN, "distinct_id": USERS[2]}, "target": "/flags/"},
    "decide": {"body": {"token": TOKEN, "distinct_id": USERS[2]}, "target": "/decide/?v=3"},
    "wrong token": {"body": {"token": "phc_wrong", "distinct_id": USERS[0]}},
    "over quota": {"body": {"token": "phc_over", "distinct_id": USERS[0]}},
    "no JSON": {"body": b"{"},
    "empty": {"body": b""},
    "a browser": {
        "body": {"token": TOKEN, "distinct_id": USERS[3]},
        "headers": (("Content-Type", "text/plain"), ("User-Agent", "Mozilla/5.0"), ("Origin", "https://shop.example")),
    },
    "GET": {"method": "GET"},
    "HEAD": {"method": "HEAD"},
}


def hastened(phase: Phase) -> Phase:
    """Play it for certain, and faster."""
    rules = tuple(msgspec.structs.replace(rule, probability=1.0, fault=_hastened(rule.fault)) for rule in phase.rules)
    return msgspec.structs.replace(phase, rules=rules)


def _hastened(fault: Any) -> Any:
    if isinstance(fault, Say):
        return msgspec.structs.replace(fault, after_s=fault.after_s / HASTE)
    if isinstance(fault, Slow):
        return Slow(seconds=fault.seconds / HASTE, jitter_s=0)
    return fault


def told(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """Everything about an answer that is not about its connection."""
    lines = sorted((name.lower(), value) for name, value in reply.headers.items() if name.lower() not in PER_CONNECTION)
    return reply.status, [line for line in lines if not is_edges(*line)], reply.body


def is_edges(name: str, value: str) -> bool:
    """Whether it is a line about who may read the answer."""
    return name.startswith(CORS) or (name == "vary" and {each.strip().lower() for each in value.split(",")} <= VARY)


async def direct(port: int, question: str) -> Reply | None:
    """Ask the service itself."""
    how = QUESTIONS[question]
    return await asked(port, how | ({"headers": (*JSON, AS_DECIDE)} if question == "decide" else {}))


async def asked(port: int, how: dict[str, Any]) -> Reply | None:
    """Ask; None when no whole answer comes."""
    try:
        async with asyncio.timeout(NO_ANSWER_S):
            reply = await send(port, **how)
    except (OSError, TimeoutError, ValueError, IndexError, asyncio.IncompleteReadError):
        return None
    return whole(reply, is_head=how.get("method") == "HEAD")


def whole(reply: Reply, *, is_head: bool) -> Reply | None:
    """Return an answer as a client reads it; None when it stops before its end."""
    if is_head:
        return reply
    if reply.headers.get("Transfer-Encoding") == "chunked":
        return reply if reply.body.endswith(b"0\r\n\r\n") else None
    length = int(reply.headers.get("Content-Length", "0"))
    return Reply(reply.status, reply.headers, reply.body[:length]) if len(reply.body) >= length else None


ANSWERING = sorted(
    name for name, each in SCENARIOS.items() if each.worst.relay.how not in UNANSWERED and each.worst.is_resolvable
)


FRAMES_BADLY = frozenset({Breakage.LENGTH_TOO_SHORT, Breakage.LENGTH_TOO_LONG, Breakage.CUT_CHUNKS})
CUTS = frozenset({How.RESET_BEFORE, How.RESET_AFTER, How.TRUNCATE})


def is_broken(phase: Phase) -> bool:
    """No answer to HEAD can be told from one that is cut, and one of these never ends where it says."""
    faults = [rule.fault for rule in phase.rules]
    return phase.relay.how in CUTS or any(isinstance(fault, Broken) for fault in faults)


def gives_answers(phase: Phase) -> bool:
    """Whole answers come from the service, in messages that end where they say."""
    if phase.relay.how in CUTS or phase.relay.how is How.REFUSE:
        return False
    return not any(isinstance(rule.fault, Broken) and rule.fault.how in FRAMES_BADLY for rule in phase.rules)


@pytest.mark.parametrize("switch", ["bypass", "observe"])
@pytest.mark.parametrize("name", ANSWERING)
async def test_what_the_service_says_reaches_the_client_untouched(name: str, switch: str) -> None:
    phase = hastened(SCENARIOS[name].worst)
    async with Scene() as scene:
        await scene.warm()
        scene.proxy.line.switches.set(Turn(switch=switch, on=True))
        await scene.put_on(phase, is_hasty=False)
        for question in (each for each in QUESTIONS if each != "HEAD" or not is_broken(phase)):
            said, relayed = await direct(scene.stage.port, question), await asked(scene.proxy.port, QUESTIONS[question])
            assert relayed is not None, question
            if gives_answers(phase):
                assert said is not None, question
                assert told(relayed) == told(said), question
            else:
                assert relayed.status == 503, question


async def assert_untouched(scene: Scene, user: str) -> None:
    relayed = await send(scene.proxy.port, {"token": TOKEN, "distinct_id": user})
    assert told(relayed) == told(await scene.direct(user))


def is_slow(phase: Phase) -> bool:
    """Hastened, it is slow no more."""
    return any(isinstance(rule.fault, Slow) for rule in phase.rules)


OUTAGES = sorted(
    name
    for name, each in SCENARIOS.items()
    if name in ANSWERING and each.today.trips and gives_answers(each.worst) and not is_slow(each.worst)
)
ROUNDS = 8


@pytest.mark.parametrize("name", OUTAGES)
async def test_who_observes_decides_and_records_all_of_it_and_changes_nothing(name: str) -> None:
    async with Scene() as scene:
        await scene.warm()
        line = scene.proxy.line
        line.switches.set(Turn(switch="observe", on=True))
        await scene.put_on(hastened(SCENARIOS[name].worst), is_hasty=False)
        before = scene.stage.relay.exchanges
        for _ in range(ROUNDS):
            for user in USERS:
                await assert_untouched(scene, user)
        asked_for = ROUNDS * len(USERS)
        assert scene.stage.relay.exchanges == before + 2 * asked_for, "each was sent once, and nobody asked besides"
        assert line.origins[UpstreamName("default")].gate.state is State.OPEN
        would = {(source, trouble): count for (_, source, trouble), count in line.observed.answers.items()}
        assert sum(would.values()) == asked_for
        assert {source for source, _ in would} == {Source.STALE}
        assert Trouble.BREAKER_OPEN in {trouble for _, trouble in would}
        assert line.observed.differing[ProjectName("default")] == asked_for


@pytest.mark.parametrize("name", OUTAGES)
async def test_who_bypasses_decides_nothing_and_forgets_nothing(name: str) -> None:
    async with Scene() as scene:
        await scene.warm()
        line = scene.proxy.line
        line.switches.set(Turn(switch="bypass", on=True))
        await scene.put_on(hastened(SCENARIOS[name].worst), is_hasty=False)
        for _ in range(ROUNDS):
            for user in USERS:
                await assert_untouched(scene, user)
        assert line.origins[UpstreamName("default")].gate.state is State.CLOSED
        assert not line.observed.answers
        line.switches.clear("bypass")
        for user in USERS:
            reply = await scene.ask(user)
            assert scene.is_live(reply, user) or reply.json() == scene.truth[user].json() | {"errorsWhileComputingFlags": True}
