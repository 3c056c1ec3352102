"""Switches: for whom they hold, and when they end."""

from __future__ import annotations

import pytest

from proxy.answer.request import ProjectName
from proxy.answer.switches import NAMES, NORMAL, Mode, Switches, Turn
from tests.fakes.clock import FakeClock

SHOP, BLOG = ProjectName("shop"), ProjectName("blog")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def switches(clock: FakeClock) -> Switches:
    return Switches(clock=clock)


def test_nothing_turned_is_the_normal_mode_itself(switches: Switches) -> None:
    assert switches.of(SHOP) is NORMAL
    assert switches.report() == []


@pytest.mark.parametrize("name", NAMES)
def test_each_switch_turns_its_own_field_and_no_other(switches: Switches, name: str) -> None:
    other_way = not getattr(NORMAL, name)
    switches.set(Turn(switch=name, on=other_way, project=SHOP))
    assert switches.of(SHOP) == Mode(**{name: other_way})
    assert switches.of(BLOG) is NORMAL


def test_a_turn_for_all_holds_for_projects_nobody_named(switches: Switches) -> None:
    switches.set(Turn(switch="bypass", on=True))
    assert switches.of(SHOP).bypass
    assert switches.of(ProjectName("made later")).bypass


def test_a_project_s_own_turn_goes_over_the_one_for_all_switch_by_switch(switches: Switches) -> None:
    switches.set(Turn(switch="bypass", on=True))
    switches.set(Turn(switch="judge", on=False))
    switches.set(Turn(switch="bypass", on=False, project=SHOP))
    assert switches.of(SHOP) == Mode(judge=False)
    assert switches.of(BLOG) == Mode(bypass=True, judge=False)


def test_a_later_turn_replaces_the_earlier_one_and_its_end(switches: Switches, clock: FakeClock) -> None:
    switches.set(Turn(switch="merge", on=False, ends_at=clock.now + 10))
    switches.set(Turn(switch="merge", on=False, ends_at=clock.now + 100))
    clock.advance(50)
    assert not switches.of(SHOP).merge


def test_a_turn_is_over_at_its_second_and_not_before(switches: Switches, clock: FakeClock) -> None:
    switches.set(Turn(switch="observe", on=True, project=SHOP, ends_at=clock.now + 10))
    clock.advance(9.999)
    assert switches.of(SHOP).observe
    clock.advance(0.001)
    assert switches.of(SHOP) is NORMAL
    assert switches.report() == []


def test_each_turn_ends_for_itself(switches: Switches, clock: FakeClock) -> None:
    switches.set(Turn(switch="race", on=False, ends_at=clock.now + 10))
    switches.set(Turn(switch="retry", on=False, ends_at=clock.now + 20))
    switches.set(Turn(switch="judge", on=False))
    clock.advance(15)
    assert switches.of(SHOP) == Mode(retry=False, judge=False)
    clock.advance(1e6)
    assert switches.of(SHOP) == Mode(judge=False)


def test_a_project_falls_back_to_the_turn_for_all_when_its_own_is_over(switches: Switches, clock: FakeClock) -> None:
    switches.set(Turn(switch="bypass", on=True))
    switches.set(Turn(switch="bypass", on=False, project=SHOP, ends_at=clock.now + 1))
    assert not switches.of(SHOP).bypass
    clock.advance(1)
    assert switches.of(SHOP).bypass


def test_clearing_puts_one_switch_of_one_scope_back(switches: Switches) -> None:
    switches.set(Turn(switch="bypass", on=True))
    switches.set(Turn(switch="bypass", on=True, project=SHOP))
    assert switches.clear("bypass")
    assert not switches.clear("bypass")
    assert switches.of(SHOP).bypass
    assert not switches.of(BLOG).bypass
    assert switches.clear("bypass", project=SHOP)
    assert switches.of(SHOP) is NORMAL


def test_replacing_leaves_nothing_of_what_was(switches: Switches) -> None:
    switches.set(Turn(switch="bypass", on=True, project=SHOP))
    switches.replace([Turn(switch="retry", on=False, project=BLOG)])
    assert switches.of(SHOP) is NORMAL
    assert switches.of(BLOG) == Mode(retry=False)


def test_a_name_that_is_no_switch_is_a_mistake_that_names_the_remedy(switches: Switches) -> None:
    with pytest.raises(ValueError, match="bypass, observe, merge"):
        switches.set(Turn(switch="by-pass", on=True))
    assert switches.of(SHOP) is NORMAL


def test_the_report_says_who_and_how_long_in_the_order_of_the_names(switches: Switches, clock: FakeClock) -> None:
    switches.set(Turn(switch="judge", on=False, ends_at=clock.now + 60))
    switches.set(Turn(switch="bypass", on=True, project=SHOP))
    switches.set(Turn(switch="bypass", on=True, project=BLOG))
    clock.advance(15.5)
    assert switches.report() == [
        {"switch": "bypass", "project": "blog", "on": True, "left_s": None},
        {"switch": "bypass", "project": "shop", "on": True, "left_s": None},
        {"switch": "judge", "project": None, "on": False, "left_s": 44.5},
    ]


def test_whoever_must_be_told_hears_of_a_turn_and_of_its_end(switches: Switches, clock: FakeClock) -> None:
    heard: list[bool] = []
    switches.on_change = lambda: heard.append(switches._everywhere.bypass)
    switches.set(Turn(switch="bypass", on=True, ends_at=clock.now + 5))
    clock.advance(5)
    assert not switches.of(SHOP).bypass
    assert heard == [True, False]


@pytest.mark.parametrize("name", NAMES)
def test_bypass_and_observe_alone_make_a_pure_relay(switches: Switches, name: str) -> None:
    assert not switches.is_pure(SHOP)
    switches.set(Turn(switch=name, on=not getattr(NORMAL, name), project=SHOP))
    assert switches.is_pure(SHOP) is (name in {"bypass", "observe"})
    assert not switches.is_pure(BLOG)
