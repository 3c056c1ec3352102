"""Switches through every order of turns, ends and time, against a model that keeps every turn and asks for the last."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.answer.request import ProjectName
from proxy.answer.switches import NAMES, NORMAL, Switches, Turn
from tests.fakes.clock import FakeClock

PROJECTS = tuple(map(ProjectName, ("shop", "blog", "wiki")))
SCOPES = st.sampled_from([None, *PROJECTS])
SWITCHES = st.sampled_from(NAMES)
SPANS = st.none() | st.floats(0, 100, allow_nan=False)


class SwitchesAreTheLastThatWasOrdered(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.switches = Switches(clock=self.clock)
        self.told = 0
        self.switches.on_change = self.hear
        self.model: dict[tuple[str, ProjectName | None], Turn] = {}

    def hear(self) -> None:
        self.told += 1

    def turn(self, switch: str, on: bool, project: ProjectName | None, span: float | None) -> Turn:
        return Turn(switch=switch, on=on, project=project, ends_at=None if span is None else self.clock.now + span)

    @rule(switch=SWITCHES, on=st.booleans(), project=SCOPES, span=SPANS)
    def set(self, **how: Any) -> None:
        turn = self.turn(**how)
        self.switches.set(turn)
        self.model[turn.switch, turn.project] = turn

    @rule(switch=SWITCHES, project=SCOPES)
    def clear(self, switch: str, project: ProjectName | None) -> None:
        before = self.model.pop((switch, project), None)
        was_turned = self.switches.clear(switch, project=project)
        assert was_turned or before is None or not self.is_on(before)

    @rule(turns=st.lists(st.tuples(SWITCHES, st.booleans(), SCOPES, SPANS), max_size=4))
    def replace(self, turns: list[tuple[str, bool, ProjectName | None, float | None]]) -> None:
        made = [self.turn(*each) for each in turns]
        self.switches.replace(made)
        self.model = {(each.switch, each.project): each for each in made}

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def each_project_s_own_turn_goes_over_the_one_for_all_while_it_lasts(self) -> None:
        for project in (*PROJECTS, ProjectName("nobody turned this")):
            expected = {name: self.position(name, project) for name in NAMES}
            assert msgspec.to_builtins(self.switches.of(project)) == expected

    @invariant()
    def the_report_names_what_is_turned_and_nothing_that_is_over(self) -> None:
        lasting = {place for place, turn in self.model.items() if self.is_on(turn)}
        assert {(row["switch"], row["project"]) for row in self.switches.report()} == lasting

    def position(self, name: str, project: ProjectName) -> bool:
        for scope in (project, None):
            turn = self.model.get((name, scope))
            if turn is not None and self.is_on(turn):
                return turn.on
        return bool(getattr(NORMAL, name))

    def is_on(self, turn: Turn) -> bool:
        return turn.ends_at is None or turn.ends_at > self.clock.now


TestSwitches = SwitchesAreTheLastThatWasOrdered.TestCase
TestSwitches.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
