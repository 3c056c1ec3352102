"""Questions for single flags: one that is emptied looks like a kill switch, many of them within a minute like an outage."""

from __future__ import annotations

from proxy.answer.answer import Whole
from proxy.answer.judgement.judge import Finding
from proxy.answer.judgement.lost.gone import MOST_THERE, Gone
from tests.fakes.definitions import flag
from tests.fakes.judging import Court
from tests.fakes.requests import PROJECT

TEN = [f"f{n}" for n in range(10)]
HOLD_S = 60


def asked_one_by_one(*users: str) -> Court:
    court = Court()
    for user in users or ("anna",):
        for key in TEN:
            court.say(f"{user}-{key}", [key])
    return court


def emptied(court: Court, keys: list[str], user: str = "anna") -> list[bool]:
    return [court.say(f"{user}-{key}", []).is_held for key in keys]


def test_the_fifth_flag_that_is_lost_alone_within_a_minute_is_held() -> None:
    assert emptied(asked_one_by_one(), TEN) == [False] * 4 + [True] * 6


def test_from_then_on_the_first_four_are_held_for_everybody_else() -> None:
    court = asked_one_by_one("anna", "ben")
    emptied(court, TEN)
    assert emptied(court, TEN, "ben") == [True] * 10


def test_a_question_for_all_flags_is_held_likewise() -> None:
    court = asked_one_by_one()
    court.say("all", TEN)
    emptied(court, TEN)
    assert court.say("all", []).is_held


def test_fewer_than_five_are_never_held_also_not_a_whole_project_of_four() -> None:
    court = asked_one_by_one("anna", "ben")
    for _ in range(20):
        assert not any(emptied(court, TEN[:4]) + emptied(court, TEN[:4], "ben"))
        court.clock.advance(10)


def test_one_flag_a_minute_never_adds_up() -> None:
    court = asked_one_by_one()
    for key in TEN:
        assert emptied(court, [key]) == [False]
        court.clock.advance(HOLD_S / 4)


def test_five_of_many_that_are_asked_for_meanwhile_are_kill_switches() -> None:
    """A clean-up: five flags go within a minute while twenty others are answered."""
    court = asked_one_by_one()
    many = [f"there-{n}" for n in range(20)]
    for key in many:
        court.say(key, [key])
    emptied(court, TEN[:1])
    for key in many:
        court.say(key, [key])
    assert emptied(court, TEN[1:6]) == [False] * 5


def test_flags_that_were_asked_for_before_the_first_loss_do_not_count_as_there() -> None:
    court = asked_one_by_one()
    for key in (many := [f"there-{n}" for n in range(20)]):
        court.say(key, [key])
    assert emptied(court, TEN[:5]) == [False] * 4 + [True]
    assert all(court.say(key, [key]).finding is Finding.PLAIN for key in many)


def test_what_siblings_lost_counts() -> None:
    court = asked_one_by_one()
    court.judge.learn(PROJECT, TEN[:4], is_plain=False)
    assert emptied(court, TEN[4:5]) == [True]


def test_what_was_held_for_a_minute_is_believed() -> None:
    court = asked_one_by_one("anna", "ben")
    emptied(court, TEN)
    found = []
    for _ in range(4):
        court.clock.advance(HOLD_S / 3)
        found.append(court.say("anna-f9", []).finding)
    assert found == [Finding.HELD, Finding.HELD, Finding.CONFIRMED, Finding.PLAIN]
    assert not any(emptied(court, TEN[4:], "ben")), "what was lacking is gone"


def test_a_full_answer_to_a_held_question_ends_it() -> None:
    court = asked_one_by_one()
    emptied(court, TEN)
    court.say("anna-f9", ["f9"])
    assert court.judge.suspicion(PROJECT) is None
    assert court.judge.contradicted[PROJECT] == 1


def test_an_old_suspicion_does_not_hold_a_kill_switch() -> None:
    court = asked_one_by_one()
    court.say("all", [*TEN, "x"])
    assert court.say("all", []).is_held
    court.clock.advance(HOLD_S + 1)
    assert emptied(court, ["f1"]) == [False]


async def test_a_stranger_who_asks_for_one_flag_that_the_definitions_list_is_held_too() -> None:
    court = asked_one_by_one()
    await court.hold(*(flag(key) for key in TEN), generation=1)
    court.judge.lists = lambda request: frozenset({"f9"})
    assert not court.say("stranger", []).is_held
    emptied(court, TEN[:4])
    assert court.say("another", []).is_held


def test_what_is_noted_to_be_there_is_bounded() -> None:
    gone = Gone()
    gone.add(["lost"], is_plain=False, now=0.0)
    for n in range(MOST_THERE):
        gone.see({f"a{n}", f"b{n}"}, within_s=HOLD_S, now=1.0)
    assert len(gone._there) == MOST_THERE
    gone.see({"a"}, within_s=HOLD_S, now=HOLD_S)
    assert not gone._there


def test_an_emptied_answer_of_a_shape_that_lists_only_what_is_on_is_a_value() -> None:
    court = asked_one_by_one()
    emptied(court, TEN[:4])
    court.say("old", Whole(200, "application/json", b'{"featureFlags":{"f9":true}}'))
    assert not court.say("old", Whole(200, "application/json", b'{"featureFlags":{}}')).is_held


def test_an_answer_that_lists_anything_is_never_held_for_what_others_lost() -> None:
    court = asked_one_by_one()
    emptied(court, TEN[:4])
    court.say("two", ["f8", "f9"])
    assert not court.say("two", ["f9"]).is_held
    assert court.say("two", []).is_held
