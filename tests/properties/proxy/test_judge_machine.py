"""The judge against every order of kill switches, outages that empty or shrink answers, questions and time."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.answer.judgement.judge import Finding, Verdict
from proxy.answer.judgement.lost.gone import MOST_BYTES
from tests.fakes.judging import Court
from tests.fakes.requests import PROJECT, key

FLAGS = [f"f{n:02}" for n in range(16)]
USERS = ["busy", "rare", "new"]
MUCH_FLAGS, MUCH_RATIO, EVERY_S, CONFIRMATIONS = 5, 0.3, 20.0, 3
HOLD_S = EVERY_S * CONFIRMATIONS


class JudgeMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.court = Court()
        self.live = list(FLAGS)
        self.last: dict[str, set[str]] = {}
        self.lost_at: dict[str, float] = {}
        self.lied = False
        self.say("busy", self.live)

    def say(self, user: str, flags: list[str]) -> Verdict:
        before, said, drained = self.last.get(user), set(flags), self.drained()
        verdict = self.court.say(user, flags)
        lost = set() if before is None else before - said
        if before is None or not lost:
            assert not verdict.is_held, "what lacks nothing is never held"
        elif len(lost) <= MUCH_RATIO * len(before):
            assert not verdict.is_held, "the loss of a small part is never held: kill switches look like that"
        elif len(lost) < MUCH_FLAGS and (said or len(lost | drained) < MUCH_FLAGS):
            assert not verdict.is_held, "nor is that of few flags, but for emptied answers to many small questions"
        if not self.lied:
            assert not verdict.is_held, "kill switches at different times that somebody saw never add up to a suspicion"
        if verdict.is_held:
            entry = self.court.memory.get(key(user))
            assert entry is not None
            assert all(f'"{flag}"'.encode() in entry.value.whole.body for flag in before or ()), (
                "and nothing of it is remembered"
            )
        else:
            self.last[user] = said
            self.lost_at.update(dict.fromkeys(lost, self.court.clock.now))
        return verdict

    def drained(self) -> set[str]:
        """All that may count as lost one by one: a minute's losses, and what is held on to."""
        suspicion = self.court.judge.suspicion(PROJECT)
        recent = {flag for flag, at in self.lost_at.items() if self.court.clock.now - at < HOLD_S}
        return recent if suspicion is None else recent | suspicion.missing

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def a_flag_is_killed_and_somebody_asks(self, data: st.DataObject):
        self.live.remove(data.draw(st.sampled_from(self.live)))
        before = self.last["busy"]
        verdict = self.say("busy", self.live)
        if len(before - set(self.live)) == 1 and (self.live or not self.lied):
            assert verdict.finding is Finding.PLAIN, "it is off in the very next answer"

    @rule(data=st.data())
    def a_flag_comes_to_life_and_somebody_asks(self, data: st.DataObject):
        dead = sorted(set(FLAGS) - set(self.live))
        if dead:
            self.live.append(data.draw(st.sampled_from(dead)))
            self.say("busy", self.live)

    @rule(user=st.sampled_from(USERS))
    def a_caller_asks(self, user: str):
        self.say(user, self.live)

    @rule(user=st.sampled_from(USERS), kept=st.integers(0, 15))
    def an_outage_shrinks_an_answer(self, user: str, kept: int):
        self.lied = True
        self.say(user, self.live[:kept])

    @rule(flag=st.sampled_from(FLAGS))
    def an_outage_empties_the_answer_to_a_single_flag(self, flag: str):
        self.lied = True
        self.say(flag, [flag])
        self.say(flag, [])

    @rule(user=st.sampled_from(USERS), kept=st.integers(0, 15))
    def what_is_said_again_and_again_for_a_minute_is_believed(self, user: str, kept: int):
        self.lied = True
        said = self.live[:kept]
        for _ in range(CONFIRMATIONS + 1):
            if not self.say(user, said).is_held:
                return
            self.court.clock.advance(EVERY_S + 0.5)
        raise AssertionError("it was held for more than three confirmations over a minute")

    @rule(seconds=st.sampled_from([0.1, 5.0, 20.0, 60.0, 3600.0]))
    def time_passes(self, seconds: float):
        self.court.clock.advance(seconds)

    @invariant()
    def what_is_known_of_a_project_is_bounded_and_true(self):
        known = self.court.judge._projects.get(PROJECT)
        if known is None:
            return
        assert known.gone.bytes <= MOST_BYTES
        assert sum(len(each) + 49 for each in known.gone._losses) <= known.gone.bytes
        assert (known.gone.bytes == 0) == (len(known.gone) == 0)

    @invariant()
    def a_suspicion_is_founded_and_not_yet_confirmed(self):
        suspicion = self.court.judge.suspicion(PROJECT)
        if suspicion is not None:
            assert suspicion.held >= 1
            assert suspicion.missing
            assert suspicion.confirmations < CONFIRMATIONS
            assert suspicion.confirmations * EVERY_S <= self.court.clock.now - suspicion.since + 1e-6


JudgeMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestJudgeMachine = pytest.mark.timeout(240)(JudgeMachine.TestCase)
