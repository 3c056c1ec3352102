"""Which refusals of keys are handed on, and which are held back, for how long."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.judgement.hysteresis import CONTROL_EVERY_S, PROOFS, Hysteresis, Stance
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import read_answer
from proxy.config.settings import Policy
from proxy.upstream.origin import Tried
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines
from tests.fakes.requests import flags_request
from tests.fakes.transport import good

SHOP, BLOG = ProjectName("shop"), ProjectName("blog")
ACCEPTED = Tried(good(), None, read_answer(good()))
REFUSED = Tried(Whole(401, "application/json", b"{}"))
DOWN = Tried(None, Failure(trouble=Trouble.TIMEOUT))


class Door:
    """An upstream that accepts or refuses keys, and the hysteresis in front of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines = Lines()
        self.hysteresis = Hysteresis(clock=self.clock, log=self.lines.log)
        self.says: dict[ProjectName, Tried] = {SHOP: ACCEPTED, BLOG: ACCEPTED}
        self.controls: list[FlagsRequest] = []
        self.answers: list[Tried] = []

    async def ask(self, project: ProjectName = SHOP, **changes: Any) -> Stance | None:
        """Ask as a caller of a project; return what is made of a refusal, None for an answer."""
        request = flags_request(project=project, credential=1 + [SHOP, BLOG].index(project), **changes)
        tried = self.says[project]
        if tried.reading is not None:
            self.hysteresis.worked(request)
            return None
        await self.hysteresis.compare(request, self._control)
        stance = self.hysteresis.weigh(request)
        assert self.hysteresis.weigh(request) is stance, "to weigh is not to learn"
        self.hysteresis.stances[project, stance] -= 1
        return stance

    async def _control(self, request: FlagsRequest) -> Tried:
        self.controls.append(request)
        return self.answers.pop(0) if self.answers else self.says[request.project]


async def test_a_key_that_never_worked_is_refused_at_once() -> None:
    door = Door()
    door.says[SHOP] = REFUSED
    assert await door.ask() is Stance.UNKNOWN
    assert door.lines.events() == []


async def test_one_key_refused_while_others_work_is_real_at_once() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.REAL
    assert [request.project for request in door.controls] == [BLOG, SHOP] * PROOFS
    assert await door.ask(SHOP) is Stance.REAL
    assert len(door.controls) == 2 * PROOFS, "and that is settled until the key works again"


async def test_all_keys_refused_is_an_outage_and_held() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says |= {SHOP: REFUSED, BLOG: REFUSED}
    assert [await door.ask(SHOP), await door.ask(BLOG), await door.ask(SHOP)] == [Stance.HELD] * 3
    assert len(door.controls) == 1
    assert door.hysteresis.stances == {(SHOP, Stance.HELD): 2, (BLOG, Stance.HELD): 1}
    assert door.lines.events() == ["refusals_held", "refusals_held"]


@pytest.mark.parametrize("others", [REFUSED, DOWN])
async def test_a_control_that_does_not_work_proves_nothing(others: Tried) -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says |= {SHOP: REFUSED, BLOG: others}
    assert await door.ask(SHOP) is Stance.HELD


async def test_the_only_key_of_an_upstream_is_held_for_a_quarter_of_an_hour_and_then_relayed() -> None:
    door = Door()
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD
    door.clock.advance(899)
    assert await door.ask(SHOP) is Stance.HELD
    door.clock.advance(1)
    assert await door.ask(SHOP) is Stance.EXPIRED
    assert door.lines.events() == ["refusals_held", "refusals_relayed"]
    assert door.controls == []


async def test_a_key_that_works_again_is_held_anew_the_next_time() -> None:
    door = Door()
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    await door.ask(SHOP)
    door.clock.advance(900)
    await door.ask(SHOP)
    door.says[SHOP] = ACCEPTED
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD


async def test_a_policy_without_hysteresis_relays_everything() -> None:
    door = Door()
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP, policy=Policy(hysteresis_s=0)) is Stance.EXPIRED


async def test_answers_of_other_keys_that_came_by_themselves_are_controls() -> None:
    door = Door()
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD, "nobody else was ever seen"
    found = []
    for _ in range(PROOFS):
        await door.ask(BLOG, writes=True)
        found.append(await door.ask(SHOP))
    assert found == [Stance.HELD] * (PROOFS - 1) + [Stance.REAL]
    assert door.controls == []


async def test_an_outage_that_refuses_every_other_request_is_none_of_the_keys_fault() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says[SHOP] = REFUSED
    door.answers = [ACCEPTED, ACCEPTED]  # the control, and then the refused question itself
    assert await door.ask(SHOP) is Stance.HELD
    assert [request.project for request in door.controls] == [BLOG, SHOP]


async def test_a_question_on_which_the_service_may_write_is_not_asked_again() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP, writes=True) is Stance.HELD
    assert door.controls == []


async def test_controls_are_asked_for_rarely_and_inside_the_callers_deadline() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says |= {SHOP: REFUSED, BLOG: DOWN}
    for _ in range(5):
        await door.ask(SHOP, deadline=door.clock.monotonic() + 0.5)
    assert [(request.deadline, request.key) for request in door.controls] == [(1000.5, None)]
    door.clock.advance(CONTROL_EVERY_S)
    await door.ask(SHOP)
    assert [request.deadline for request in door.controls] == [1000.5, 1011.0]


async def test_a_question_on_which_the_service_may_write_is_never_a_control() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG, writes=True)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD
    assert door.controls == []


async def test_a_key_that_is_refused_now_and_then_is_held_whatever_others_say() -> None:
    door = Door()
    await door.ask(SHOP)
    await door.ask(BLOG)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.REAL
    door.says[SHOP] = ACCEPTED
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD
    door.clock.advance(60)
    assert await door.ask(SHOP) is Stance.REAL


async def test_an_operator_can_revoke_at_once_and_a_working_key_ends_that() -> None:
    door = Door()
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD
    door.hysteresis.revoke(SHOP)
    assert await door.ask(SHOP) is Stance.REVOKED
    door.says[SHOP] = ACCEPTED
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.HELD


async def test_a_revocation_before_the_first_refusal_counts_too() -> None:
    door = Door()
    await door.ask(SHOP)
    door.hysteresis.revoke(SHOP)
    await door.ask(SHOP)
    door.says[SHOP] = REFUSED
    assert await door.ask(SHOP) is Stance.REVOKED


async def test_a_request_whose_key_could_not_be_read_is_relayed() -> None:
    door = Door()
    hysteresis, request = door.hysteresis, flags_request(credential=0)
    hysteresis.worked(request)
    hysteresis.refuse(request)
    assert hysteresis.weigh(request) is Stance.UNKNOWN


async def test_the_number_of_keys_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.answer.judgement.hysteresis.MOST_KEYS", 3)
    door = Door()
    for credential in range(1, 6):
        door.hysteresis.worked(flags_request(credential=credential))
    found = []
    for credential in range(1, 6):
        door.hysteresis.refuse(flags_request(credential=credential))
        found.append(door.hysteresis.weigh(flags_request(credential=credential)))
    assert found == [Stance.UNKNOWN, Stance.UNKNOWN, Stance.HELD, Stance.HELD, Stance.HELD]
