"""Whose breaker an outcome feeds, against every order of calls and outcomes of three projects of one upstream."""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from proxy.answer.answer import Failure
from proxy.answer.request import ProjectName
from proxy.config.settings import Breaker
from proxy.upstream.breaker import Guard, Permit, State
from proxy.upstream.outcomes import Feed
from tests.fakes.clock import FakeClock

SETTINGS = Breaker(consecutive=3, minimum_calls=6, open_s=2, open_max_s=8, probes=2, ramp_s=2, slow_s=86_400, probe_lease_s=5)
PROJECTS = tuple(ProjectName(name) for name in ("ash", "elm", "oak"))
Call = tuple[ProjectName, Permit]


class GuardMachine(RuleBasedStateMachine):
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.refused: dict[ProjectName, float] = {}  # by upstream, when last
        self.served: dict[ProjectName, float] = {}
        self.under_way = 0

    @initialize(has_one_project=st.sampled_from([False, False, False, True]))
    def begin(self, has_one_project: bool):
        self.has_one_project = has_one_project
        self.guard = Guard(SETTINGS, has_one_project=has_one_project, clock=self.clock, rng=Random(3))

    @rule(target=calls, project=st.sampled_from(PROJECTS), has_other_source=st.booleans())
    def a_call_is_made(self, project: ProjectName, has_other_source: bool):
        own, upstreams = self.own(project), self.guard.gate
        was_free = upstreams.is_plain and (own is None or own.is_plain)
        answer = self.guard.admit(project, has_other_source=has_other_source)
        if isinstance(answer, Failure):
            assert not was_free, "who has no open breaker before it is let through, whatever the other projects do"
            return multiple()
        assert upstreams.state is not State.OPEN
        assert own is None or own.state is not State.OPEN, "an open breaker of a project stops its calls"
        assert (answer.project is not None) == (own is not None)
        self.under_way += 1
        return (project, answer)

    @rule(
        call=consumes(calls), feed=st.sampled_from([Feed.NOBODY, Feed.NOBODY, Feed.UPSTREAM, Feed.PROJECT, Feed.PROJECT, None])
    )
    def a_call_ends(self, call: Call, feed: Feed | None):
        project, permit = call
        self.under_way -= 1
        before, states = self.guard.gate.state, self.states()
        counted = self.guard.gate._inner.window.whole.failures
        self.guard.settle(permit, project, feed=feed)
        if feed is Feed.NOBODY and permit.project is None:
            self.served[project] = self.clock.now
        self.check(project, feed, before, states, counted)

    @rule(project=st.sampled_from(PROJECTS), feed=st.sampled_from([Feed.NOBODY, Feed.UPSTREAM, Feed.PROJECT]))
    def a_later_stage_finds_fault(self, project: ProjectName, feed: Feed):
        before, states = self.guard.gate.state, self.states()
        counted = self.guard.gate._inner.window.whole.failures
        self.guard.teach(project, feed)
        self.check(project, feed, before, states, counted)

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0, 6.0, 12.0]))
    def time_passes(self, seconds: float):
        self.clock.advance(seconds)

    @invariant()
    def a_project_that_was_never_refused_has_no_breaker(self):
        assert {project for project, _ in self.guard.projects.items()} <= self.refused.keys()

    @invariant()
    def where_there_is_one_project_it_needs_no_breaker_of_its_own(self):
        assert not self.has_one_project or not len(self.guard.projects)

    @invariant()
    def a_breaker_with_nothing_to_say_goes(self):
        for project, gate in self.guard.projects.items():
            assert not gate.is_idle or self.clock.now > self.refused[project], "it lasts no longer than the next good answer"

    @invariant()
    def nothing_is_kept_of_calls_that_are_over(self):
        assert len(self.guard.gate._under_way) <= self.under_way
        assert all(len(gate._under_way) <= self.under_way for _, gate in self.guard.projects.items())

    def check(
        self, project: ProjectName, feed: Feed | None, before: State, states: dict[ProjectName, State], counted: int
    ) -> None:
        after, is_general = self.guard.gate.state, False
        if feed is Feed.PROJECT:
            self.refused[project] = self.clock.now
            is_general = self.is_general()
        if feed in (None, Feed.NOBODY) or (feed is Feed.PROJECT and not is_general):
            assert not (before is not State.OPEN and after is State.OPEN), (
                "what is not upstream's fault never opens its breaker"
            )
            assert self.guard.gate._inner.window.whole.failures <= counted, "nor is it counted against it"
        elif before is State.CLOSED and after is State.CLOSED:
            assert self.guard.gate._inner.window.whole.failures == counted + 1 or self.guard.gate._generation, (
                "what is, is counted"
            )
        for name, state in self.states().items():
            if name != project or feed is Feed.UPSTREAM or feed is None:
                assert state is states.get(name, State.CLOSED), "nobody's breaker moves for what is not its project's"

    def is_general(self) -> bool:
        since = self.clock.now - SETTINGS.window_s
        refused = {name for name, at in self.refused.items() if at > since}
        asking = refused | {name for name, at in self.served.items() if at > since}
        return self.has_one_project or (len(refused) >= 2 and 2 * len(refused) >= len(asking))

    def own(self, project: ProjectName):
        return self.guard.projects.get(project)

    def states(self) -> dict[ProjectName, State]:
        return {project: gate.state for project, gate in self.guard.projects.items()}


GuardMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestGuardMachine = GuardMachine.TestCase
