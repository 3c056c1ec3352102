"""The bulkhead and its queue against every order of callers, ends, cancellations and time."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.answer.answer import Trouble
from proxy.answer.request import ProjectName
from proxy.upstream.admission.bulkhead import Bulkhead
from tests.fakes.clock import FakeClock
from tests.fakes.loop import VirtualLoop

PLACES, SHARE, QUEUE, WAIT_S = 4, 2, 3, 0.5
PROJECTS = tuple(ProjectName(name) for name in ("ash", "elm", "oak"))


class Caller:
    """Somebody who wants a place: waits, holds one, or is done."""

    def __init__(self, project: ProjectName, came_at: float) -> None:
        self.project = project
        self.came_at = came_at
        self.task: asyncio.Task[None] | None = None
        self.holds = False
        self.was_refused = False


class BulkheadMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.loop = VirtualLoop(self.clock)
        self.bulkhead = Bulkhead(places=PLACES, project_places=SHARE, queue=QUEUE)
        self.callers: list[Caller] = []  # in the order they came
        self.came = self.refused = 0

    @rule(project=st.sampled_from(PROJECTS))
    def a_caller_comes(self, project: ProjectName):
        caller = Caller(project, self.clock.now)
        had_place, queue = self.has_place(project), self.waiting()
        self.came += 1
        if self.bulkhead.enter(project):
            assert had_place, "a place is given only where there is one"
            caller.holds = True
            self.callers.append(caller)
            return
        assert not had_place, "who finds a place takes it"
        caller.task = self.loop.start(self.wait(caller))
        if caller.was_refused:
            assert len(queue) == QUEUE, "nobody is refused on the spot while the queue has room"
        else:
            assert len(queue) < QUEUE, "the queue has an end"
            self.callers.append(caller)

    @precondition(lambda self: self.holders())
    @rule(draw=st.randoms(use_true_random=False))
    def one_leaves(self, draw):
        leaver = draw.choice(self.holders())
        self.callers.remove(leaver)
        before = self.waiting()
        self.bulkhead.leave(leaver.project)
        served = self.first_served(before)
        self.loop.settle()
        assert [caller for caller in before if caller.holds] == served, "the first who may have the place gets it"

    @precondition(lambda self: self.waiting())
    @rule(draw=st.randoms(use_true_random=False))
    def one_that_waits_goes_away(self, draw):
        self.cancel(draw.choice(self.waiting()))

    @precondition(lambda self: self.waiting() and self.holders())
    @rule(draw=st.randoms(use_true_random=False))
    def one_goes_away_just_as_it_is_given_a_place(self, draw):
        leaver = draw.choice(self.holders())
        before = self.waiting()
        self.callers.remove(leaver)
        self.bulkhead.leave(leaver.project)
        for lucky in self.first_served(before):
            self.cancel(lucky)

    @precondition(lambda self: self.waiting() and self.holders())
    @rule(draw=st.randoms(use_true_random=False))
    def a_place_is_free_just_as_one_that_waits_goes_away(self, draw):
        leaver, goer = draw.choice(self.holders()), draw.choice(self.waiting())
        self.callers.remove(leaver)
        self.callers.remove(goer)
        before = self.waiting()
        goer.task.cancel()
        self.bulkhead.leave(leaver.project)
        served = self.first_served(before)
        self.loop.settle()
        assert [caller for caller in before if caller.holds] == served, "the place goes to the next one"

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]))
    def time_passes(self, seconds: float):
        self.loop.advance(seconds)
        for caller in [caller for caller in self.callers if caller.was_refused]:
            assert self.clock.now >= caller.came_at + WAIT_S - 1e-9, "nobody is turned away before its time"
            self.callers.remove(caller)

    @invariant()
    def there_are_never_more_inside_than_places(self):
        assert self.bulkhead.taken == len(self.holders()) <= PLACES

    @invariant()
    def no_project_has_more_than_its_share(self):
        assert all(self.inside(project) <= SHARE for project in PROJECTS)

    @invariant()
    def nobody_waits_who_could_go_in(self):
        assert not any(self.has_place(caller.project) for caller in self.waiting())

    @invariant()
    def nobody_waits_for_longer_than_the_deadline(self):
        assert all(self.clock.now < caller.came_at + WAIT_S + 1e-9 for caller in self.waiting())

    @invariant()
    def nobody_is_lost(self):
        assert self.bulkhead.waiting == len(self.waiting())
        assert self.bulkhead.refused == self.refused
        assert all(caller.holds or not caller.task.done() for caller in self.callers if caller.task is not None)

    def teardown(self) -> None:
        for caller in self.waiting():
            self.cancel(caller)
        self.loop.close()
        for caller in self.holders():
            self.bulkhead.leave(caller.project)
        assert (self.bulkhead.taken, self.bulkhead.waiting) == (0, 0), "when all have gone nothing is taken"
        assert not self.bulkhead._by_project, "and no project is remembered"

    async def wait(self, caller: Caller) -> None:
        refusal = await self.bulkhead.wait(caller.project, wait_s=WAIT_S)
        if refusal is None:
            caller.holds = True
            return
        assert refusal.trouble is Trouble.SHED
        caller.was_refused = True
        self.refused += 1

    def cancel(self, caller: Caller) -> None:
        assert caller.task is not None
        caller.task.cancel()
        self.loop.settle()
        assert caller.task.cancelled()
        self.callers.remove(caller)

    def first_served(self, waiting: list[Caller]) -> list[Caller]:
        """Return who is next, by the lists."""
        return [caller for caller in waiting if self.has_place(caller.project)][:1]

    def inside(self, project: ProjectName) -> int:
        return sum(caller.project == project for caller in self.holders())

    def has_place(self, project: ProjectName) -> bool:
        return len(self.holders()) < PLACES and self.inside(project) < SHARE

    def holders(self) -> list[Caller]:
        return [caller for caller in self.callers if caller.holds]

    def waiting(self) -> list[Caller]:
        return [caller for caller in self.callers if not caller.holds and not caller.was_refused]


BulkheadMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestBulkheadMachine = BulkheadMachine.TestCase
