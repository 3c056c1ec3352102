"""Refusals of keys against every order of revocations, outages, recoveries, questions and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.answer.answer import Whole
from proxy.answer.judgement.hysteresis import CONTRADICTED_S, CONTROL_EVERY_S, CONTROL_S, PROOFS, Hysteresis, Stance
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import read_answer
from proxy.upstream.origin import Tried
from tests.fakes.clock import FakeClock
from tests.fakes.requests import flags_request
from tests.fakes.transport import good

ACCEPTED = Tried(good(), None, read_answer(good()))
REFUSED = Tried(Whole(401, "application/json", b"{}"))
KEYS = [1, 2, 3]
HELD_S = 900.0


def finished(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


class HysteresisMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.hysteresis = Hysteresis(clock=self.clock)
        self.revoked: set[int] = set()
        self.is_out = False
        self.worked: set[int] = set()
        self.refused_at: dict[int, float] = {}
        self.accepted_since: dict[int, bool] = {}
        self.recovered_at: dict[int, float] = {}
        self.said_revoked: set[int] = set()
        self.controls: Counter[float] = Counter()

    def says(self, key: int) -> Tried:
        return REFUSED if self.is_out or key in self.revoked else ACCEPTED

    async def control(self, request: FlagsRequest) -> Tried:
        self.controls[self.clock.now] += 1
        assert request.key is None, "a control is nobody's answer"
        assert request.deadline <= self.clock.now + CONTROL_S, "and nobody waits for it for long"
        tried = self.says(request.credential)
        self._note(request.credential, tried)
        return tried

    def _note(self, key: int, tried: Tried) -> None:
        if tried is REFUSED:
            if key in self.worked and key not in self.refused_at:
                self.refused_at[key] = self.clock.now
                self.accepted_since[key] = False
            return
        for other in self.accepted_since:
            self.accepted_since[other] |= other != key
        self.worked.add(key)
        if self.refused_at.pop(key, None) is not None:
            self.recovered_at[key] = self.clock.now
            del self.accepted_since[key]
            self.said_revoked.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def a_caller_asks(self, key: int):
        request = flags_request(project=ProjectName(f"p{key}"), credential=key)
        tried = self.says(key)
        self._note(key, tried)
        if tried is ACCEPTED:
            self.hysteresis.worked(request)
            return
        may_compare = all(self.clock.now - at >= CONTROL_EVERY_S for at in self.controls)
        finished(self.hysteresis.compare(request, self.control))
        self._check(key, self.hysteresis.weigh(request), may_compare=may_compare)

    def _check(self, key: int, stance: Stance, *, may_compare: bool) -> None:
        if key not in self.worked:
            assert stance in {Stance.UNKNOWN, Stance.REVOKED}, "a key that never worked is refused at once"
            return
        held_s = self.clock.now - self.refused_at[key]
        if stance is Stance.HELD:
            assert held_s < HELD_S, "nothing is held for longer than a quarter of an hour"
            assert key not in self.said_revoked, "what an operator revoked is not held"
        if stance is Stance.REAL:
            assert self.accepted_since[key], "a refusal is real only if another key was accepted since"
        if stance is Stance.EXPIRED:
            assert held_s >= HELD_S
        wavers = self.clock.now - self.recovered_at.get(key, -1e9) < CONTRADICTED_S
        others = self.worked - {key}
        if (
            may_compare
            and others
            and not wavers
            and not self.is_out
            and not others & self.revoked
            and not self.all_refused(others)
        ):
            assert stance is not Stance.HELD, "one key refused while others work is relayed at once"

    def all_refused(self, keys: set[int]) -> bool:
        """No key is known to work: each of them was refused when it was last asked about."""
        return keys <= self.refused_at.keys()

    @rule(key=st.sampled_from(KEYS))
    def a_key_is_revoked_at_the_service(self, key: int):
        self.revoked.add(key)

    @rule(key=st.sampled_from(KEYS))
    def a_key_is_given_back(self, key: int):
        self.revoked.discard(key)

    @rule(is_out=st.booleans())
    def an_outage_that_refuses_all_begins_or_ends(self, is_out: bool):
        self.is_out = is_out

    @rule(key=st.sampled_from(KEYS))
    def an_operator_says_that_a_key_is_revoked(self, key: int):
        self.hysteresis.revoke(ProjectName(f"p{key}"))
        self.said_revoked.add(key)

    @rule(seconds=st.sampled_from([0.0, 1.0, 11.0, 61.0, 450.0, 901.0]))
    def time_passes(self, seconds: float):
        self.clock.advance(seconds)

    @invariant()
    def controls_are_rare_and_few(self):
        moments = sorted(self.controls)
        assert all(later - earlier >= CONTROL_EVERY_S for earlier, later in pairwise(moments))
        assert all(count <= 2 * PROOFS for count in self.controls.values())


HysteresisMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestHysteresisMachine = pytest.mark.timeout(240)(HysteresisMachine.TestCase)
