"""The line without sockets: where an answer comes from, what is remembered, and what stands in for upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from proxy.answer.answer import Assembled, Failure, Forward, Source, Trouble, Whole
from proxy.answer.rungs.rung import Filled
from proxy.answer.rungs.walk import Walk
from proxy.answer.shape import Record
from proxy.config.settings import Breaker, Policy, Project
from tests.fakes.line import FakeLine
from tests.fakes.transport import GOOD, FakeTransport, good

BODY = {"token": "t", "distinct_id": "u"}
DOWN = Failure(trouble=Trouble.REFUSED, no_byte_received=True)
MARKED = GOOD.replace(b'"errorsWhileComputingFlags":false', b'"errorsWhileComputingFlags":true')


async def test_upstreams_own_bytes_are_given_untouched() -> None:
    odd = b' {"flags" : {} , "errorsWhileComputingFlags":false,"new":[1.0,1e5]}'
    line = FakeLine(transport=FakeTransport(Whole(200, "application/json", odd, (("X-New", "1"),))))
    answer = await line.ask(BODY)
    assert answer.content == Whole(200, "application/json", odd, (("X-New", "1"),))
    assert (answer.source, answer.forward, answer.stored) == (Source.UPSTREAM, Forward.MISS, True)


async def test_a_fresh_copy_answers_until_its_time_is_up() -> None:
    line = FakeLine(policy=Policy(fresh_s=10))
    await line.ask(BODY)
    line.clock.advance(9.5)
    answer = await line.ask(BODY)
    assert (answer.source, answer.age_s, answer.fresh_for_s) == (Source.FRESH, 9.5, 0.5)
    assert answer.content == Whole(200, "application/json", GOOD)
    line.clock.advance(0.5)
    assert (await line.ask(BODY)).forward is Forward.STALE
    assert len(line.transport.asked) == 2


async def test_headers_are_never_remembered() -> None:
    line = FakeLine(
        policy=Policy(fresh_s=10), transport=FakeTransport(Whole(200, "application/json", GOOD, (("X-Secret", "1"),)))
    )
    await line.ask(BODY)
    content = (await line.ask(BODY)).content
    assert isinstance(content, Whole)
    assert content.headers == ()


async def test_by_default_upstream_is_always_asked() -> None:
    line = FakeLine()
    await line.ask(BODY)
    assert (await line.ask(BODY)).source is Source.UPSTREAM


async def test_a_request_that_makes_the_service_write_is_never_answered_by_a_fresh_copy() -> None:
    line = FakeLine(policy=Policy(fresh_s=10))
    for _ in range(2):
        await line.ask(BODY | {"$anon_distinct_id": "anon"})
    assert len(line.transport.asked) == 2


@pytest.mark.parametrize(
    "trouble", [Trouble.REFUSED, Trouble.TIMEOUT, Trouble.RESET, Trouble.MALFORMED, Trouble.INCOMPLETE, Trouble.TOO_LARGE]
)
async def test_a_failure_is_answered_by_the_last_good_answer_marked(trouble: Trouble) -> None:
    line = FakeLine()
    await line.ask(BODY)
    line.transport.say = Failure(trouble=trouble)
    line.clock.advance(60)
    answer = await line.ask(BODY)
    assert (answer.source, answer.age_s, answer.fresh_for_s) == (Source.STALE, 60, -60)
    assert answer.content == Assembled(MARKED, content_type="application/json")
    assert answer.failure == Failure(trouble=trouble)


async def test_the_policy_may_ask_for_unmarked_stale_answers() -> None:
    line = FakeLine(policy=Policy(mark_stale=False))
    await line.ask(BODY)
    line.transport.say = DOWN
    assert (await line.ask(BODY)).content == good()


async def test_a_shape_without_the_error_bit_is_given_as_it_is() -> None:
    body = b'{"featureFlags":["a"],"requestId":"r"}'
    line = FakeLine(transport=FakeTransport(good(body)))
    await line.ask(BODY, target="/decide/?v=1")
    line.transport.say = DOWN
    assert (await line.ask(BODY, target="/decide/?v=1")).content == good(body)


async def test_a_stale_answer_ends_with_its_window() -> None:
    line = FakeLine(policy=Policy(stale_if_error_s=100))
    await line.ask(BODY)
    line.transport.say = DOWN
    line.clock.advance(100)
    answer = await line.ask(BODY)
    assert (answer.source, answer.content.status, answer.failure) == (Source.NONE, 503, DOWN)


async def test_without_rungs_nothing_stands_in() -> None:
    line = FakeLine(policy=Policy(rungs=()))
    await line.ask(BODY)
    line.transport.say = DOWN
    assert (await line.ask(BODY)).source is Source.NONE


@pytest.mark.parametrize("status", [408, 429, 500, 503, 520])
async def test_with_nothing_at_hand_an_upstreams_refusal_is_handed_on(status: int) -> None:
    said = Whole(status, "text/plain", b"busy", (("Retry-After", "7"),))
    line = FakeLine(transport=FakeTransport(said))
    answer = await line.ask(BODY)
    assert (answer.content, answer.source) == (said, Source.UPSTREAM)
    assert answer.failure is not None
    assert (answer.failure.status, answer.failure.retry_after_s) == (status, 7.0)


@pytest.mark.parametrize("status", [502, 504, 301, 302, 307, 204])
async def test_a_gateway_error_redirect_or_empty_answer_never_goes_to_a_caller(status: int) -> None:
    line = FakeLine(transport=FakeTransport(Whole(status, "text/html", b"<html>")))
    answer = await line.ask(BODY)
    assert (answer.content.status, answer.source) == (503, Source.NONE)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{}", b"[]", b'{"flags":null}', b'{"flags":[]}', b'{"flags":{', b'{"featureFlags":1}', b"\xff"]
)
async def test_a_200_without_flags_counts_as_a_failure(body: bytes) -> None:
    line = FakeLine()
    await line.ask(BODY)
    line.transport.say = good(body)
    answer = await line.ask(BODY)
    assert answer.source is Source.STALE
    assert answer.failure == Failure(trouble=Trouble.MALFORMED, status=200)


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refusal_of_a_key_that_worked_is_held_back_and_one_of_a_new_key_handed_on(status: int) -> None:
    line = FakeLine()
    await line.ask(BODY)
    said = Whole(status, "text/plain", b"no")
    line.transport.say = said
    answer = await line.ask(BODY)
    assert (answer.source, answer.failure) == (Source.STALE, Failure(trouble=Trouble.AUTH, status=status))
    assert answer.notes == {"hysteresis": "held"}
    newcomer = await line.ask(BODY | {"token": "another"})
    assert (newcomer.content, newcomer.failure, newcomer.stored) == (said, None, False)


@pytest.mark.parametrize("status", [400, 404, 413])
async def test_a_callers_own_fault_is_handed_on_and_remembered_by_nobody(status: int) -> None:
    line = FakeLine()
    await line.ask(BODY)
    said = Whole(status, "text/plain", b"no")
    line.transport.say = said
    answer = await line.ask(BODY)
    assert (answer.content, answer.failure, answer.stored) == (said, None, False)
    line.transport.say = DOWN
    assert (await line.ask(BODY)).source is Source.STALE


@pytest.mark.parametrize(
    "body",
    [
        b'{"errorsWhileComputingFlags":true,"flags":{"a":{"key":"a","enabled":true}}}',
        b'{"errorsWhileComputingFlags":false,"flags":{},"quotaLimited":["feature_flags"]}',
        b'{"errorsWhileComputingFlags":false,"flags":{},"supportedCompression":["gzip"],"isAuthenticated":false}',
    ],
)
async def test_a_partial_answer_never_replaces_a_good_one(body: bytes) -> None:
    line = FakeLine()
    await line.ask(BODY)
    line.transport.say = good(body)
    assert (await line.ask(BODY)).content == good(body)
    line.transport.say = DOWN
    assert (await line.ask(BODY)).content.body == MARKED


@pytest.mark.parametrize("mark", [b'"failed":true', b'"failed" : true'])
async def test_a_failed_flag_is_filled_from_memory_and_never_remembered(mark: bytes) -> None:
    line = FakeLine()
    await line.ask(BODY)
    line.transport.say = good(b'{"errorsWhileComputingFlags":false,"flags":{"a":{"key":"a","enabled":false,%s}}}' % mark)
    answer = await line.ask(BODY)
    assert (answer.source, answer.stored, answer.failure) == (
        Source.MERGED,
        False,
        Failure(trouble=Trouble.PARTIAL, status=200),
    )
    assert json.loads(answer.content.body)["flags"]["a"]["enabled"] is True
    line.transport.say = DOWN
    assert (await line.ask(BODY)).content.body == MARKED


@pytest.mark.parametrize(
    "body",
    [
        b'{"errorsWhileComputingFlags":false,"flags":{}}',
        b'{"errorsWhileComputingFlags":false,"flags":{"failed":{"key":"failed","enabled":true,"metadata":{"payload":{"failed":true}}}}}',
        b'{"errorsWhileComputingFlags":false,"featureFlags":{"failed":true}}',
        b'{"errorsWhileComputingFlags":false,"flags":{},"quotaLimited":["recordings"]}',
    ],
)
async def test_a_good_answer_replaces_the_one_before_however_odd_it_looks(body: bytes) -> None:
    line = FakeLine(policy=Policy(mark_stale=False))
    await line.ask(BODY)
    line.transport.say = good(body)
    assert (await line.ask(BODY)).stored
    line.transport.say = DOWN
    assert (await line.ask(BODY)).content.body == body


async def test_one_exchange_serves_all_who_ask_the_same_at_once() -> None:
    line = FakeLine()
    line.transport.hold()
    callers = [asyncio.create_task(line.ask(BODY | {"sent_at": str(n)})) for n in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    line.transport.release()
    answers = await asyncio.gather(*callers)
    assert [answer.joined for answer in answers] == [False, True, True]
    assert len(line.transport.asked) == 1


async def test_a_request_without_a_key_neither_joins_nor_falls_back() -> None:
    line = FakeLine()
    await line.ask(b"{token: 't', distinct_id: 'u'}")
    line.transport.say = DOWN
    answer = await line.ask(b"{token: 't', distinct_id: 'u'}")
    assert (answer.source, answer.forward) == (Source.NONE, Forward.BYPASS)


async def test_an_open_breaker_is_not_asked_and_says_when_to_come_back() -> None:
    line = FakeLine(breaker=Breaker(consecutive=3), transport=FakeTransport(DOWN))
    for n in range(3):
        await line.ask(BODY | {"distinct_id": str(n)})
    answer = await line.ask(BODY)
    assert len(line.transport.asked) == 3
    assert answer.failure is not None
    assert answer.failure.trouble is Trouble.BREAKER_OPEN
    assert 0 < (answer.failure.retry_after_s or 0) <= 2


async def test_a_recovered_upstream_is_asked_again_after_one_probe() -> None:
    line = FakeLine(breaker=Breaker(consecutive=1), transport=FakeTransport(DOWN))
    await line.ask(BODY)
    line.transport.say = good()
    line.clock.advance(2)
    assert (await line.ask(BODY)).source is Source.UPSTREAM
    assert (await line.ask(BODY)).source is Source.UPSTREAM


async def test_a_projects_rate_limit_leaves_the_upstream_to_the_others() -> None:
    projects = {name: Project(tokens=(name,)) for name in ("one", "two")}
    busy = Whole(429, "application/json", b"{}")
    shared = FakeLine(breaker=Breaker(consecutive=2), projects=projects, transport=FakeTransport(busy))
    alone = FakeLine(breaker=Breaker(consecutive=2), transport=FakeTransport(busy))
    for n in range(4):
        await shared.ask({"token": "one", "distinct_id": str(n)})
        await alone.ask({"token": "one", "distinct_id": str(n)})
    assert len(shared.transport.asked) == 2, "the project is left alone"
    await shared.ask({"token": "two", "distinct_id": "somebody"})
    assert len(shared.transport.asked) == 3, "and the other one is not"
    assert len(alone.transport.asked) == 2, "with one project there is nobody else to ask for"


class FakeRung:
    """A rung that has some records."""

    def __init__(self, source: Source, **values: bool) -> None:
        self.filled = Filled(source=source, age_s=5, records={k: Record(key=k, enabled=v, value=v) for k, v in values.items()})
        self.missing: list[frozenset[str] | None] = []

    async def fill(self, request: object, missing: frozenset[str] | None) -> Filled | None:
        self.missing.append(missing)
        return self.filled if self.filled.records else None


def with_rungs(policy: Policy, rungs: Mapping[str, Any]) -> FakeLine:
    line = FakeLine(policy=policy, transport=FakeTransport(DOWN))
    put(line, rungs)
    return line


def put(line: FakeLine, rungs: Mapping[str, Any]) -> None:
    walk: Walk = line.line._flags._ladder._asking._walk
    walk._rungs = {**walk._rungs, **rungs}


async def test_records_of_several_rungs_make_one_answer_the_first_rung_winning() -> None:
    first, second = FakeRung(Source.LOCAL, a=True), FakeRung(Source.CONFIGURED, a=False, b=False)
    line = with_rungs(Policy(rungs=("local", "configured")), {"local": first, "configured": second})
    answer = await line.ask(BODY | {"flag_keys": ["a", "b", "c"]})
    assert isinstance(answer.content, Assembled)
    said = json.loads(answer.content.body)
    assert {key: record["enabled"] for key, record in said["flags"].items()} == {"a": True, "b": False}
    assert (said["errorsWhileComputingFlags"], said["requestId"]) == (True, "made-here")
    assert answer.content.sources == {"a": Source.LOCAL, "b": Source.CONFIGURED}
    assert second.missing == [frozenset({"b", "c"})]


async def test_an_assembled_answer_is_marked_when_a_flag_is_missing_even_if_the_policy_would_not() -> None:
    line = with_rungs(Policy(rungs=("local",), mark_stale=False), {"local": FakeRung(Source.LOCAL, a=True)})
    whole = await line.ask(BODY | {"flag_keys": ["a"]})
    part = await line.ask(BODY | {"flag_keys": ["a", "b"]})
    assert b'"errorsWhileComputingFlags":false' in whole.content.body
    assert b'"errorsWhileComputingFlags":true' in part.content.body


async def test_rungs_that_have_nothing_leave_the_error() -> None:
    line = with_rungs(Policy(rungs=("local",)), {"local": FakeRung(Source.LOCAL)})
    assert (await line.ask(BODY)).content.status == 503


async def test_a_whole_answer_below_a_partial_one_gives_its_records() -> None:
    line = FakeLine(policy=Policy(rungs=("local", "stale")))
    await line.ask(BODY)
    line.transport.say = DOWN
    put(line, {"local": FakeRung(Source.LOCAL, b=True)})
    said = json.loads((await line.ask(BODY)).content.body)
    assert sorted(said["flags"]) == ["a", "b"]
