"""Upstream against what is at hand, in virtual time: when an answer is given, from where, and what becomes of the exchange."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.answer.answer import Failure, Forward, Source, Trouble
from proxy.answer.flights.race import EARLIEST_S, Landing, Winner
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import Record
from proxy.answer.switches import Turn
from proxy.config.settings import Policy
from tests.fakes.slow import BODY, SlowLine
from tests.fakes.transport import GOOD, good

LATE = Failure(trouble=Trouble.TIMEOUT)
NEWER = GOOD.replace(b'"enabled":true', b'"enabled":false')
STRANGER = BODY | {"distinct_id": "stranger"}


@pytest.fixture
def line():
    with SlowLine() as line:
        line.ask()
        line.transport.after_s = 3.0
        yield line


def test_who_has_an_answer_at_hand_gets_it_at_the_first_deadline_and_not_before(line: SlowLine) -> None:
    line.clock.advance(60)
    caller = line.start()
    line.advance(0.999)
    assert not caller.done()
    line.advance(0.002)
    answer = caller.result()
    assert (answer.source, answer.failure, answer.forward) == (Source.STALE, LATE, Forward.STALE)
    assert 60.9 < answer.age_s < 61.1
    assert line.line.asked.race.won == {Winner.RESCUE: 1}


def test_an_exchange_that_lost_lands_and_is_remembered(line: SlowLine) -> None:
    line.transport.say = good(NEWER)
    assert line.ask().source is Source.STALE
    line.advance(3.0)
    assert line.line.asked.race.late == {Landing.REMEMBERED: 1}
    line.transport.say = Failure(trouble=Trouble.REFUSED)
    line.transport.after_s = 0.0
    assert b'"enabled":false' in line.ask().content.body


def test_an_exchange_that_lost_is_judged_like_any_other(line: SlowLine) -> None:
    many = b",".join(b'"f%d":{"key":"f%d","enabled":true}' % (n, n) for n in range(10))
    line.transport.after_s, line.transport.say = 0.0, good(b'{"errorsWhileComputingFlags":false,"flags":{%s}}' % many)
    line.ask()
    line.transport.after_s, line.transport.say = 3.0, good(b'{"errorsWhileComputingFlags":false,"flags":{}}')
    assert len(line.ask().content.body) > 300
    line.advance(3.0)
    assert line.line.asked.race.late == {Landing.FAILED: 1}
    assert len(line.ask().content.body) > 300, "the emptied answer that came late was not remembered"


def test_an_exchange_that_never_ends_is_ended_at_its_own_time(line: SlowLine) -> None:
    line.transport.after_s = 60.0
    assert line.ask().source is Source.STALE
    line.advance(10)
    assert line.now() > 5
    assert line.transport.ended[-1] - line.transport.asked[-1].started == pytest.approx(5.0)
    assert line.line.asked.race.late == {Landing.FAILED: 1}
    assert len(line.line.flight) == 0


def test_an_upstream_that_is_only_a_little_late_is_waited_for(line: SlowLine) -> None:
    line.transport.after_s = 0.9
    answer = line.ask()
    assert (answer.source, answer.failure) == (Source.UPSTREAM, None)
    assert line.line.asked.race.won == {Winner.UPSTREAM: 1}
    assert line.line.asked.race.late == {}


def test_who_has_nothing_at_hand_waits_longer(line: SlowLine) -> None:
    line.transport.after_s = 2.4
    answer = line.ask(STRANGER)
    assert (answer.source, answer.failure) == (Source.UPSTREAM, None)


def test_who_has_nothing_at_hand_gets_a_503_at_the_second_deadline_and_the_next_one_the_answer(line: SlowLine) -> None:
    before = line.now()
    answer = line.ask(STRANGER)
    assert (answer.source, answer.content.status, answer.failure) == (Source.NONE, 503, LATE)
    assert line.now() - before == pytest.approx(2.5, abs=0.02)
    assert line.line.asked.race.won == {Winner.NOBODY: 1}
    line.advance(1)
    line.transport.say = Failure(trouble=Trouble.REFUSED)
    assert line.ask(STRANGER).source is Source.STALE


def test_a_failure_within_the_deadline_is_answered_at_once(line: SlowLine) -> None:
    line.transport.after_s, line.transport.say = 0.5, Failure(trouble=Trouble.RESET)
    before = line.now()
    answer = line.ask()
    assert (answer.source, answer.failure) == (Source.STALE, Failure(trouble=Trouble.RESET))
    assert line.now() - before == pytest.approx(0.5, abs=0.02)


def test_with_the_race_switched_off_everybody_waits_for_the_second_deadline(line: SlowLine) -> None:
    line.line.switches.set(Turn(switch="race", on=False))
    before = line.now()
    assert line.ask().source is Source.STALE
    assert line.now() - before == pytest.approx(2.5, abs=0.02)


def test_a_flight_that_is_late_for_one_is_late_for_who_joins_it(line: SlowLine) -> None:
    line.ask()
    before = line.now()
    answer = line.ask(BODY | {"sent_at": "later"})
    assert (answer.source, answer.joined, line.now() - before) == (Source.STALE, True, 0.0)
    assert len(line.transport.asked) == 2


def test_a_flight_that_callers_gave_up_on_is_not_joined_and_what_it_brings_never_replaces_something_newer(
    line: SlowLine,
) -> None:
    line.transport.after_s = 4.0
    line.ask(STRANGER)
    line.advance(0.1)
    line.transport.after_s, line.transport.say = 0.1, good(NEWER)
    assert line.ask(STRANGER).content.body == NEWER
    line.advance(4)
    assert line.trip.overtaken == 1
    line.transport.say = Failure(trouble=Trouble.REFUSED)
    assert b'"enabled":false' in line.ask(STRANGER).content.body


def test_what_was_purged_while_it_was_asked_for_is_not_remembered(line: SlowLine) -> None:
    caller = line.start(STRANGER)
    line.trip.purged()
    line.advance(4)
    assert caller.result().source is Source.NONE
    assert line.line.memory.get(line.transport.asked[-1].key) is None


def test_a_leader_that_goes_away_fails_no_follower_and_the_exchange_is_still_remembered(line: SlowLine) -> None:
    line.transport.after_s = 2.0
    leader, follower = line.start(STRANGER), line.start(STRANGER)
    line.advance(1.5)
    leader.cancel()
    line.advance(0.6)
    assert leader.cancelled()
    assert (follower.result().source, follower.result().joined, follower.result().stored) == (Source.UPSTREAM, True, True)


def test_an_exchange_that_everybody_left_is_still_remembered(line: SlowLine) -> None:
    caller = line.start(STRANGER)
    line.advance(0.5)
    caller.cancel()
    line.advance(3)
    assert line.line.memory.get(line.transport.asked[-1].key) is not None


class Preparing:
    """A rung that takes its time."""

    def __init__(self, line: SlowLine, takes_s: float, **values: bool) -> None:
        self.asked_at: list[float] = []
        self.cancelled = False
        self._line = line
        self._takes_s = takes_s
        self._records = {key: Record(key=key, enabled=value, value=value) for key, value in values.items()}
        line.walk._rungs = {**line.walk._rungs, "local": self}

    async def fill(self, request: object, missing: object) -> Filled | None:
        self.asked_at.append(self._line.now())
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return Filled(source=Source.LOCAL, records=self._records)


@pytest.fixture
def local():
    with SlowLine(policy=Policy(rungs=("local",))) as line:
        line.transport.after_s = 60.0
        yield line


ASKED: Any = BODY | {"flag_keys": ["a", "b"]}


def test_preparing_begins_when_upstream_has_taken_longer_than_usual(local: SlowLine) -> None:
    rung = Preparing(local, 0.0, a=True, b=True)
    local.ask(ASKED)
    assert rung.asked_at == [pytest.approx(0.25)]


def test_preparing_for_a_quick_upstream_does_not_begin_too_soon(local: SlowLine) -> None:
    local.transport.after_s = 0.001
    for n in range(64):
        local.ask(BODY | {"distinct_id": str(n)})
    rung = Preparing(local, 0.0, a=True, b=True)
    local.transport.after_s = 60.0
    before = local.now()
    local.ask(ASKED)
    assert [at - before for at in rung.asked_at] == [pytest.approx(EARLIEST_S)]


def test_preparing_is_done_in_time_however_slow_upstream_has_become() -> None:
    with SlowLine(policy=Policy(rungs=("local",), deadline_at_hand_s=0.2)) as line:
        rung = Preparing(line, 0.0, a=True, b=True)
        line.transport.after_s = 60.0
        line.ask(ASKED)
        assert rung.asked_at == [pytest.approx(0.1)]


def test_a_partial_answer_at_hand_is_given_at_the_second_deadline_only(local: SlowLine) -> None:
    Preparing(local, 0.0, a=True)
    answer = local.ask(ASKED)
    assert (answer.source, answer.failure) == (Source.LOCAL, LATE)
    assert local.now() == pytest.approx(2.5, abs=0.02)


def test_upstream_is_never_delayed_by_preparing(local: SlowLine) -> None:
    rung = Preparing(local, 2.0, a=True, b=True)
    local.transport.after_s = 0.6
    answer = local.ask(ASKED)
    assert (answer.source, rung.cancelled) == (Source.UPSTREAM, True)
    assert local.now() == pytest.approx(0.6, abs=0.02)


def test_an_answer_that_was_long_in_preparing_is_given_when_it_is_ready(local: SlowLine) -> None:
    Preparing(local, 2.0, a=True, b=True)
    assert local.ask(ASKED).source is Source.LOCAL
    assert local.now() == pytest.approx(2.25, abs=0.02)


def test_upstream_may_still_win_while_preparing_overruns_the_deadline(local: SlowLine) -> None:
    rung = Preparing(local, 60.0, a=True)
    local.transport.after_s = 3.0
    assert (local.ask(ASKED).source, rung.cancelled) == (Source.UPSTREAM, True)


def test_a_bug_in_preparing_is_told_and_costs_nobody_upstreams_answer(local: SlowLine) -> None:
    told: list[dict[str, Any]] = []
    local.loop.set_exception_handler(lambda _, context: told.append(context))

    class Broken:
        async def fill(self, *_: object) -> Filled | None:
            raise ZeroDivisionError

    local.walk._rungs = {**local.walk._rungs, "local": Broken()}
    local.transport.after_s = 0.6
    assert local.ask(ASKED).source is Source.UPSTREAM
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


def test_a_caller_that_goes_away_while_its_answer_is_prepared_leaves_nothing_behind(local: SlowLine) -> None:
    rung = Preparing(local, 60.0)
    caller = local.start(ASKED)
    local.advance(1.0)
    caller.cancel()
    local.settle()
    assert (caller.cancelled(), rung.cancelled) == (True, True)


def test_a_request_without_a_key_ends_its_exchange_with_its_own_deadline(local: SlowLine) -> None:
    local.ask(b"{token: 't', distinct_id: 'u'}")
    local.advance(0.1)
    assert local.transport.ended == [pytest.approx(local.began + 2.5)]


def test_writes_that_an_outage_skipped_are_counted_by_project_and_those_that_arrived_late_are_not(line: SlowLine) -> None:
    identify = BODY | {"$anon_distinct_id": "anon"}
    line.ask(identify)
    line.advance(4)
    assert line.trip.undelivered == {}, "it came late, but it came"
    line.transport.after_s = 60.0
    line.ask(identify)
    line.ask(identify | {"sent_at": "again"})
    line.advance(6)
    assert line.trip.undelivered == {"default": 1}, "once for all who joined"
