"""Stale-while-revalidate: an answer goes on being given for a while, and one background flight renews it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.answer.answer import Failure, Source, Trouble
from proxy.answer.flights.renewal import Renewal
from proxy.config.settings import Breaker, Policy
from reference.steps import finish
from tests.fakes.keeping import ASK, KeepingLine
from tests.fakes.slow import BODY, SlowLine
from tests.fakes.transport import GOOD, good

POLICY = Policy(fresh_s=10, stale_while_revalidate_s=30)
NEWER = GOOD.replace(b'"enabled":true', b'"enabled":false')


@pytest.fixture
def line() -> Iterator[SlowLine]:
    with SlowLine(policy=POLICY) as line:
        line.ask()
        line.advance(15)
        line.transport.after_s = 0.5
        yield line


def renewal(line: SlowLine) -> Renewal:
    return line.line.asked.renewal


def test_an_answer_past_its_freshness_is_given_at_once_and_renewed_behind(line: SlowLine) -> None:
    line.transport.say = good(NEWER)
    answer = line.ask()
    assert (answer.source, answer.age_s, answer.fresh_for_s, answer.failure) == (Source.STALE, 15, -5, None)
    assert answer.content.body == GOOD, "upstream's own bytes, unmarked: nothing failed"
    line.advance(0.5)
    renewed = line.ask()
    assert (renewed.source, renewed.content.body) == (Source.FRESH, NEWER)
    assert (renewal(line).begun, renewal(line).failed, renewal(line).under_way) == (1, 0, 0)


def test_however_many_ask_meanwhile_one_exchange_renews(line: SlowLine) -> None:
    assert [line.ask().source for _ in range(20)] == [Source.STALE] * 20
    line.advance(1)
    assert len(line.transport.asked) == 2


def test_past_the_window_upstream_is_waited_for(line: SlowLine) -> None:
    line.advance(25)
    assert line.ask().source is Source.UPSTREAM


def test_who_makes_the_service_write_is_never_answered_so(line: SlowLine) -> None:
    line.transport.after_s = 0.0
    identify = BODY | {"$anon_distinct_id": "anon"}
    line.ask(identify)
    line.advance(15)
    assert line.ask(identify).source is Source.UPSTREAM


def test_a_renewal_that_fails_costs_nothing(line: SlowLine) -> None:
    line.transport.say = Failure(trouble=Trouble.RESET)
    for _ in range(3):
        assert line.ask().source is Source.STALE
        line.advance(1)
    assert (renewal(line).begun, renewal(line).failed) == (3, 3)


def test_an_open_breaker_is_respected() -> None:
    with SlowLine(policy=POLICY, breaker=Breaker(consecutive=2, open_s=30)) as line:
        line.ask()
        line.advance(11)
        line.transport.say = Failure(trouble=Trouble.RESET)
        for _ in range(5):
            assert line.ask().source is Source.STALE
            line.advance(0.6)
        assert len(line.transport.asked) == 3
        assert renewal(line).failed == 5


def test_where_upstream_may_not_be_asked_nobody_begins_a_renewal_for_a_moment() -> None:
    with SlowLine(policy=POLICY, breaker=Breaker(consecutive=1, open_s=2)) as line:
        line.ask()
        line.advance(11)
        line.transport.say = Failure(trouble=Trouble.RESET)
        line.ask()
        line.advance(0.01)
        for _ in range(10):
            assert line.ask().source is Source.STALE
        assert (renewal(line).begun, renewal(line).put_off) == (2, 9)
        line.transport.say = good(NEWER)
        line.advance(2)
        line.ask()
        line.advance(0.01)
        assert line.ask().content.body == NEWER, "and a renewal is the probe when it is time"


def test_not_many_are_renewed_at_a_time() -> None:
    with SlowLine(policy=POLICY) as line:
        renewal(line)._most = 2
        for user in "abc":
            line.ask({**BODY, "distinct_id": user})
        line.advance(15)
        line.transport.after_s = 0.5
        for user in "abc":
            assert line.ask({**BODY, "distinct_id": user}).source is Source.STALE
        assert (renewal(line).under_way, renewal(line).put_off) == (2, 1)
        line.advance(1)
        assert line.ask({**BODY, "distinct_id": "c"}).source is Source.STALE
        assert (renewal(line).under_way, renewal(line).begun) == (1, 3)


def test_who_misses_meanwhile_joins_the_renewal(line: SlowLine) -> None:
    line.transport.after_s = 0.5
    line.ask()
    finish(line.line.memory.purging(lambda *_: True))
    caller = line.start()
    line.advance(0.6)
    assert (caller.result().source, caller.result().joined) == (Source.UPSTREAM, True)
    assert len(line.transport.asked) == 2


async def test_what_definitions_find_outdated_is_not_given_while_it_is_renewed() -> None:
    keeping = KeepingLine(policy=POLICY)
    keeping.say({"key": "a", "enabled": True, "variant": None, "metadata": {"id": 1, "version": 5}})
    await keeping.hold({"id": 1, "key": "a", "active": True, "version": 5, "filters": {"groups": []}})
    await keeping.ask(ASK)
    keeping.clock.advance(15)
    assert (await keeping.ask(ASK)).source is Source.STALE
    await keeping.line.flight.close()
    await keeping.hold({"id": 1, "key": "a", "active": False, "version": 6, "filters": {"groups": []}})
    keeping.clock.advance(11)
    assert (await keeping.ask(ASK)).source is Source.UPSTREAM
