"""A whole origin, breakers, bulkhead, lane, retries, against every order of callers, answers, cancellations and time."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.switches import Mode
from proxy.config.settings import Breaker, Upstream
from proxy.upstream.breaker import State
from proxy.upstream.origin import Origin, OriginSettings, Tried
from proxy.upstream.retries import PRICE
from tests.fakes.clock import FakeClock
from tests.fakes.loop import VirtualLoop
from tests.fakes.requests import flags_request
from tests.fakes.transport import good

PLACES, LANE, QUEUE, WAIT_S = 4, 2, 2, 0.1
UPSTREAM = Upstream(url="http://x", connections=PLACES, slow_lane=LANE, queue=QUEUE, queue_wait_s=WAIT_S, project_ratio=0.75)
BREAKER = Breaker(minimum_calls=4, consecutive=4, slow_s=1.0, open_s=2, open_max_s=8, probes=2, ramp_s=2, probe_lease_s=5)
PROJECTS = tuple(ProjectName(name) for name in ("ash", "elm"))
ANSWERS: dict[str, Whole | Failure] = {
    "good": good(),
    "500": Whole(500, "", b""),
    "502": Whole(502, "", b""),
    "429": Whole(429, "", b"", (("retry-after", "3"),)),
    "401": Whole(401, "", b""),
    "refused": Failure(trouble=Trouble.REFUSED, no_byte_received=True),
    "died in the pool": Failure(trouble=Trouble.RESET, no_byte_received=True),
    "timeout": Failure(trouble=Trouble.TIMEOUT),
}
WORTH_ANOTHER = {"502", "refused", "died in the pool"}


class Open:
    """Exchanges that end when the machine says so."""

    def __init__(self) -> None:
        self.under_way: list[tuple[FlagsRequest, asyncio.Future[Whole | Failure]]] = []
        self.begun: Counter[str] = Counter()

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        self.begun[request.path] += 1
        ending = asyncio.get_running_loop().create_future()
        self.under_way.append((request, ending))
        try:
            return await ending
        finally:
            self.under_way.remove((request, ending))

    async def close(self) -> None:
        """Nothing is open."""


class OriginMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.loop = VirtualLoop(self.clock)
        self.transport = Open()
        self.tasks: dict[str, asyncio.Task[Any]] = {}
        self.made = 0
        self.relayed: set[str] = set()
        self.may_be_probes: set[str] = set()

    @initialize(has_one_project=st.booleans())
    def begin(self, has_one_project: bool):
        made = OriginSettings(UPSTREAM, BREAKER, has_one_project=has_one_project)
        self.origin = Origin(made, transport=self.transport, clock=self.clock, rng=Random(5))

    @rule(project=st.sampled_from(PROJECTS), has_other_source=st.booleans(), lane=st.booleans(), retry=st.booleans())
    def somebody_asks(self, project: ProjectName, has_other_source: bool, lane: bool, retry: bool):
        request = self.request(project)
        how = {"mode": Mode(retry=retry), "has_other_source": has_other_source, "lane": lane}
        free = self.origin.gate.is_plain and self.origin.guard.projects.get(project) is None
        before = len(self.transport.under_way)
        if self.origin.gate.state is State.HALF_OPEN and self.origin.gate.forced is None:
            self.may_be_probes.add(request.path)
        self.go(request, self.origin.ask(request, **how))
        if free and before < 3:
            assert len(self.transport.under_way) == before + 1, "with nothing wrong and room inside, upstream is asked at once"

    @rule(project=st.sampled_from(PROJECTS), is_watched=st.booleans())
    def somebody_is_relayed(self, project: ProjectName, is_watched: bool):
        request = self.request(project)
        before = len(self.transport.under_way)
        self.relayed.add(request.path)
        self.go(request, self.origin.observe(request) if is_watched else self.origin.relay(request))
        assert len(self.transport.under_way) == before + 1, "a relay asks nobody's leave"

    @precondition(lambda self: self.transport.under_way)
    @rule(draw=st.randoms(use_true_random=False), name=st.sampled_from(sorted(ANSWERS)))
    def upstream_answers(self, draw, name: str):
        request, ending = draw.choice(self.transport.under_way)
        had_calm, spent = self.origin.gate.is_plain, self.origin.budget.spent
        ending.set_result(ANSWERS[name])
        self.loop.settle()
        if self.origin.budget.spent > spent:
            assert name in WORTH_ANOTHER, "only what a second try can mend is tried again"
            assert had_calm, "no second tries while half-open or on the ramp"
            assert request.path not in self.relayed, "a relay is sent once"
        self.sweep()

    @precondition(lambda self: self.tasks)
    @rule(draw=st.randoms(use_true_random=False))
    def a_caller_goes_away(self, draw):
        task = self.tasks[draw.choice(sorted(self.tasks))]
        before = self.origin.gate.state
        task.cancel()
        self.loop.settle()
        assert task.cancelled()
        assert self.origin.gate.state is before, "who goes away teaches nothing"
        self.sweep()

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.5, 1.0, 2.5, 9.0]))
    def time_passes(self, seconds: float):
        self.loop.advance(seconds)
        self.sweep()

    @rule(state=st.sampled_from([State.OPEN, State.CLOSED, None, None, None]))
    def an_operator_steps_in(self, state: State | None):
        self.origin.gate.force(state)

    @invariant()
    def upstream_has_no_more_to_do_than_places_a_lane_and_a_probe(self):
        guarded = {request.path for request, _ in self.transport.under_way} - self.relayed
        assert len(guarded - self.may_be_probes) <= PLACES + LANE
        if self.origin.gate.state is not State.CLOSED:
            assert len(self.origin.gate._under_way) <= 1, "one probe is listened to at a time"

    @invariant()
    def places_are_those_of_exchanges_under_way(self):
        assert self.origin.bulkhead.taken <= PLACES
        assert self.origin.lane.taken <= LANE

    @invariant()
    def nobody_asks_more_than_twice(self):
        assert all(times <= 2 for times in self.transport.begun.values())

    @invariant()
    def second_tries_are_a_tenth_of_the_traffic(self):
        assert self.origin.budget.spent <= 1 + len(self.transport.begun) / PRICE
        assert sum(times - 1 for times in self.transport.begun.values()) <= self.origin.budget.spent

    def teardown(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        self.loop.settle()
        self.loop.close()
        assert not self.transport.under_way
        assert self.origin.bulkhead.taken == self.origin.bulkhead.waiting == self.origin.lane.taken == 0, "nothing is lost"
        assert not self.origin.gate._under_way

    def request(self, project: ProjectName) -> FlagsRequest:
        self.made += 1
        return flags_request(path=f"/{self.made}", project=project, deadline=self.clock.now + 2.5)

    def go(self, request: FlagsRequest, coroutine: Any) -> None:
        self.tasks[request.path] = self.loop.start(coroutine)
        self.sweep()

    def sweep(self) -> None:
        """Take note of what has ended: always with an answer or a reason, never with an exception."""
        for path in [path for path, task in self.tasks.items() if task.done()]:
            task = self.tasks.pop(path)
            if not task.cancelled() and isinstance(tried := task.result(), Tried):
                assert tried.whole is not None or tried.failure is not None


OriginMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestOriginMachine = OriginMachine.TestCase
