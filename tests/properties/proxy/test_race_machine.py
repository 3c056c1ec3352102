"""Flights, races and memory against every order of callers, upstream's moods, departures, purges and time: one exact model.

Virtual time; an upstream that takes as long as was drawn, or fails, or never answers. For each caller the model says when it is
answered, from where, and with which exchange's words.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.answer.answer import Answer, Failure, Source, Trouble, Whole
from proxy.answer.flights.race import AHEAD_S, EARLIEST_S, Winner
from proxy.answer.request import FlagsRequest
from proxy.answer.switches import Turn
from proxy.config.settings import Breaker, Policy
from reference.steps import finish
from tests.fakes.slow import SlowLine
from tests.fakes.transport import good

POLICY = Policy()
NEVER_TRIPS = Breaker(minimum_calls=1_000_000, consecutive=1_000_000)
USERS = ("ash", "elm")
TAKES_S = (0.0213, 0.317, 0.823, 1.27, 1.91, 2.61, 3.37, 4.71, 60.0)
PASSES_S = (0.0107, 0.113, 0.461, 1.09, 2.57, 6.13)
INSTANT_S = 1e-6


@dataclass
class Exchange:
    user: str
    number: int
    began: float
    ends: float
    is_good: bool
    purges: int


@dataclass
class Caller:
    user: str
    came: float
    exchange: Exchange
    usual_s: float
    is_racing: bool
    task: asyncio.Task[Answer]
    ended: float = math.inf


@dataclass
class Remembered:
    """What is remembered for one user: from when on, which exchange's words (None: nothing), and since when they are said."""

    at: float
    number: int | None
    stored_at: float = math.nan


@dataclass
class Expected:
    at: float
    source: Source
    number: int | None = None
    age_s: float = 0.0


@dataclass
class History:
    moments: dict[str, list[Remembered]] = field(
        default_factory=lambda: {user: [Remembered(-math.inf, None)] for user in USERS}
    )

    def at(self, user: str, instant: float) -> Remembered:
        return next(each for each in reversed(self.moments[user]) if each.at <= instant + INSTANT_S)


class RaceMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.line = SlowLine(policy=POLICY, breaker=NEVER_TRIPS)
        self.line.transport.say = self.say
        self.is_failing = self.is_racing = False
        self.exchanges: list[Exchange] = []
        self.under_way: list[Exchange] = []
        self.callers: list[Caller] = []
        self.history = History()
        self.purges = self.overtaken = 0
        self.switch()

    # --- what happens -------------------------------------------------------------------------------------------------------

    @rule(after_s=st.sampled_from(TAKES_S), is_failing=st.booleans())
    def upstream_changes_its_mood(self, after_s: float, is_failing: bool):
        self.line.transport.after_s, self.is_failing = after_s, is_failing

    @rule(user=st.sampled_from(USERS))
    def a_caller_comes(self, user: str):
        before = len(self.exchanges)
        usual_s = self.line.line.origins["default"].p95_s()
        task = self.line.start({"token": "t", "distinct_id": user})
        latest = next(each for each in reversed(self.exchanges) if each.user == user)
        caller = Caller(user, self.now, latest, usual_s, self.is_racing, task)
        assert len(self.exchanges) - before <= 1, "one exchange at most for one caller"
        if len(self.exchanges) == before:
            assert latest in self.under_way, "who joins joins what is in the air"
            assert self.now - latest.began < POLICY.deadline_s, "nobody joins what callers have given up on"
        task.add_done_callback(lambda _: self.note(caller))
        self.line.settle()
        self.callers.append(caller)
        self.settle()

    @precondition(lambda self: self.callers)
    @rule(draw=st.randoms(use_true_random=False))
    def a_caller_goes_away(self, draw):
        caller = draw.choice(self.callers)
        self.callers.remove(caller)
        caller.task.cancel()
        self.line.settle()
        assert caller.task.cancelled()

    @rule(seconds=st.sampled_from(PASSES_S))
    def time_passes(self, seconds: float):
        self.line.advance(seconds)
        self.settle()

    @rule()
    def everything_is_purged(self):
        self.purges += 1
        finish(self.line.line.memory.purging(lambda *_: True))
        self.line.trip.purged()
        for user in USERS:
            self.history.moments[user].append(Remembered(self.now, None))

    @rule()
    def switch(self):
        self.is_racing = not self.is_racing
        self.line.line.switches.set(Turn(switch="race", on=self.is_racing))

    # --- what must hold -----------------------------------------------------------------------------------------------------

    @invariant()
    def what_is_in_the_air_is_what_upstream_works_on_and_two_at_most_for_one_question(self):
        assert len(self.line.line.flight) == len(self.under_way)
        for user in USERS:
            assert sum(each.user == user for each in self.under_way) <= 2

    @invariant()
    def what_is_remembered_is_the_last_that_was_not_overtaken(self):
        assert self.line.trip.overtaken == self.overtaken
        assert len(self.line.line.memory.cache) == sum(self.history.at(user, self.now).number is not None for user in USERS)

    def teardown(self) -> None:
        self.line.advance(20)
        self.settle()
        assert not self.callers, "everybody is answered"
        assert not self.under_way
        race = self.line.line.asked.race
        assert sum(race.late.values()) <= race.won[Winner.RESCUE] + race.won[Winner.NOBODY]
        self.line.__exit__()

    # --- the model ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.line.clock.now

    def say(self, request: FlagsRequest) -> Whole | Failure:
        user = next(user for user in USERS if user.encode() in request.body)
        number, after_s = len(self.exchanges), self.line.transport.after_s
        left_s = max(POLICY.exchange_s, POLICY.deadline_s)
        is_good = after_s < left_s and not self.is_failing
        exchange = Exchange(user, number, self.now, self.now + min(after_s, left_s), is_good, self.purges)
        self.exchanges.append(exchange)
        self.under_way.append(exchange)
        if self.is_failing:
            return Failure(trouble=Trouble.MALFORMED)
        body = b'{"errorsWhileComputingFlags":false,"flags":{"a":{"key":"a","enabled":true,"variant":"n%d"}}}' % number
        return good(body)

    def settle(self) -> None:
        for exchange in sorted(
            (each for each in self.under_way if each.ends <= self.now + INSTANT_S), key=lambda each: each.ends
        ):
            self.under_way.remove(exchange)
            self.land(exchange)
        for caller in [caller for caller in self.callers if caller.task.done()]:
            self.callers.remove(caller)
            self.check(caller, self.expected(caller))
        for caller in self.callers:
            assert self.expected(caller).at > self.now, "nobody waits longer than must be"

    def land(self, exchange: Exchange) -> None:
        if not exchange.is_good:
            return
        moments = self.history.moments[exchange.user]
        last = self.history.at(exchange.user, exchange.ends)
        if exchange.purges != self.purges or (last.number is not None and last.stored_at > exchange.began):
            self.overtaken += 1
            return
        moments.append(Remembered(exchange.ends, exchange.number, exchange.ends))
        moments.sort(key=lambda each: each.at)

    def expected(self, caller: Caller) -> Expected:
        exchange, deadline = caller.exchange, caller.came + POLICY.deadline_s
        usual_s = min(max(caller.usual_s, EARLIEST_S), POLICY.deadline_at_hand_s - AHEAD_S)
        prepared = max(caller.came, min(exchange.began + usual_s, deadline))
        at_hand = self.history.at(caller.user, prepared)
        due = deadline
        if caller.is_racing and at_hand.number is not None:
            due = min(deadline, max(prepared, exchange.began + POLICY.deadline_at_hand_s))
        if exchange.ends <= due:
            return self.landed(caller)
        return _from_memory(at_hand, due)

    def landed(self, caller: Caller) -> Expected:
        exchange = caller.exchange
        if exchange.is_good:
            return Expected(exchange.ends, Source.UPSTREAM, exchange.number)
        return _from_memory(self.history.at(caller.user, exchange.ends), exchange.ends)

    def note(self, caller: Caller) -> None:
        caller.ended = self.now

    def check(self, caller: Caller, expected: Expected) -> None:
        answer = caller.task.result()
        assert answer.source is expected.source
        assert caller.ended == pytest.approx(expected.at)
        if expected.number is None:
            assert answer.content.status == 503
            return
        assert b'"n%d"' % expected.number in answer.content.body
        assert answer.age_s == pytest.approx(expected.age_s)


def _from_memory(moment: Remembered, at: float) -> Expected:
    if moment.number is None:
        return Expected(at, Source.NONE)
    return Expected(at, Source.STALE, moment.number, at - moment.stored_at)


RaceMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestRaceMachine = RaceMachine.TestCase
