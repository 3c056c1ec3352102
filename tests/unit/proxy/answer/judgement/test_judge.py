"""Which error-free answers are held back, what explains a loss, and how long anything is held."""

from __future__ import annotations

import json

import pytest

from proxy.answer.answer import Whole
from proxy.answer.judgement.judge import Finding
from proxy.answer.judgement.lost.gone import MOST_BYTES, Gone, Measure
from tests.fakes.definitions import flag
from tests.fakes.judging import Court, answer
from tests.fakes.requests import PROJECT

TEN = [f"f{n}" for n in range(10)]
HALF = TEN[:5]


def test_an_emptied_answer_is_held() -> None:
    court = Court()
    court.say("a", TEN)
    verdict = court.say("a", [])
    assert (verdict.finding, verdict.missing, verdict.remembered) == (Finding.HELD, 10, 10)
    assert court.judge.findings == {(PROJECT, Finding.HELD): 1}


def test_a_question_never_answered_before_is_believed_whatever_it_is_told() -> None:
    court = Court()
    court.say("a", TEN)
    assert court.say("b", []).finding is Finding.PLAIN


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        (10, 5, True),
        (10, 6, False),  # four are fewer than five
        (16, 11, True),
        (17, 12, False),  # 29 % of them
        (20, 15, False),
        (5, 0, True),
        (4, 0, False),
        (1, 0, False),
    ],
)
def test_much_is_more_than_a_share_and_at_least_so_many(before: int, after: int, is_held: bool) -> None:
    court = Court()
    flags = [f"f{n}" for n in range(before)]
    court.say("a", flags)
    assert court.say("a", flags[:after]).is_held is is_held


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_small_project_can_switch_everything_off_at_once(count: int) -> None:
    court = Court()
    court.say("a", TEN[:count])
    assert court.say("a", []).finding is Finding.PLAIN


def test_flags_that_turn_false_are_values_and_no_loss() -> None:
    court = Court()
    court.say("a", TEN)
    assert court.say("a", answer(TEN, value=False)).finding is Finding.PLAIN


def test_as_many_others_in_their_place_are_no_excuse() -> None:
    court = Court()
    court.say("a", TEN)
    assert court.say("a", [f"other-{n}" for n in range(20)]).is_held


def test_what_is_held_is_believed_after_three_confirmations_over_a_minute_and_said() -> None:
    court = Court()
    court.say("a", TEN)
    found = []
    for _ in range(7):
        found.append(court.say("a", HALF).finding)
        court.clock.advance(10)
    assert found == [Finding.HELD] * 6 + [Finding.CONFIRMED]
    assert court.lines.events() == ["answers_held", "held_answers_believed"]
    assert court.lines.lines[-1] | {"held": 7, "for_s": 60.0, "missing": 5, "remembered": 10} == court.lines.lines[-1]
    assert court.say("a", HALF).finding is Finding.PLAIN


def test_a_burst_confirms_nothing() -> None:
    court = Court()
    court.say("a", TEN)
    assert all(court.say("a", []).is_held for _ in range(100))
    court.clock.advance(60)
    assert court.say("a", []).is_held


def test_rare_questions_are_held_for_three_more_at_most() -> None:
    court = Court()
    court.say("a", TEN)
    found = []
    for _ in range(4):
        found.append(court.say("a", []).is_held)
        court.clock.advance(3600)
    assert found == [True, True, True, False]


def test_once_confirmed_the_loss_is_nothing_new_to_anybody() -> None:
    court = Court()
    for user in ("a", "b"):
        court.say(user, TEN)
    for _ in range(4):
        court.say("a", HALF)
        court.clock.advance(20)
    assert court.say("b", HALF).finding is Finding.EXPLAINED


def test_a_full_answer_to_a_held_question_ends_the_suspicion() -> None:
    court = Court()
    court.say("a", TEN)
    for _ in range(3):
        court.say("a", [])
        court.clock.advance(20)
    court.say("a", TEN)
    assert court.judge.suspicion(PROJECT) is None
    assert court.judge.contradicted == {PROJECT: 1}
    assert court.say("a", []).is_held, "and counting begins anew"
    assert court.lines.events() == ["answers_held", "held_answers_contradicted", "answers_held"]


def test_a_full_answer_to_another_question_contradicts_nothing() -> None:
    """The flags may have become one runtime's only."""
    court = Court()
    for user in ("a", "b"):
        court.say(user, TEN)
    court.say("a", [])
    court.say("b", TEN)
    assert court.judge.suspicion(PROJECT) is not None


def test_kill_switches_at_different_times_never_add_up() -> None:
    court = Court()
    for user in ("busy", "rare"):
        court.say(user, TEN)
    for left in range(9, -1, -1):
        assert court.say("busy", TEN[:left]).finding is Finding.PLAIN
    assert court.say("rare", []).finding is Finding.EXPLAINED


def test_small_questions_that_lose_everything_in_one_minute_are_no_excuse_for_large_ones() -> None:
    """Callers who ask for single flags all see that in an outage that empties answers."""
    court = Court()
    court.say("large", TEN)
    for key in TEN[:5]:
        court.say(key, [key])
        court.judge.learn(PROJECT, [key], is_plain=False)
    assert court.say("large", []).is_held


def test_a_few_small_questions_that_lost_everything_explain_what_they_lost() -> None:
    court = Court()
    court.say("large", TEN)
    for key in TEN[:4]:
        court.say(key, [key])
        court.say(key, [])
    verdict = court.say("large", TEN[6:])
    assert (verdict.finding, verdict.missing) == (Finding.EXPLAINED, 2)


def test_small_losses_of_an_hour_ago_explain_everything_they_lost() -> None:
    court = Court()
    court.say("large", TEN)
    for key in TEN:
        court.say(key, [key])
        court.say(key, [])
        court.clock.advance(30)
    court.clock.advance(3600)
    assert court.say("large", []).finding is Finding.EXPLAINED


def test_a_flag_seen_again_is_not_gone() -> None:
    court = Court()
    for user in ("a", "b"):
        court.say(user, TEN)
    for left in range(9, -1, -1):
        court.say("a", TEN[:left])
    court.say("c", TEN)
    assert court.say("b", []).is_held


def test_what_is_gone_is_forgotten_with_the_last_answer_that_could_hold_it() -> None:
    court = Court(stale_if_error_s=100)
    court.say("a", TEN)
    for left in range(9, -1, -1):
        court.say("a", TEN[:left])
    court.clock.advance(100)
    court.say("b", TEN[:2])
    court.say("b", TEN[:1])
    assert len(court.judge._projects[PROJECT].gone) == 1


async def test_definitions_that_say_off_gone_or_changed_explain_a_loss() -> None:
    court = Court()
    await court.hold(*[flag(key) for key in TEN], generation=1)
    court.say("a", TEN)
    court.clock.advance(1)
    off, changed = [flag(key, active=False) for key in TEN[:4]], [flag(key, version=6) for key in TEN[4:8]]
    await court.hold(*off, *changed, flag("f9"), generation=2)  # f8 was deleted
    assert court.say("a", ["f9"]).finding is Finding.EXPLAINED


async def test_definitions_that_say_nothing_of_it_explain_nothing() -> None:
    court = Court()
    await court.hold(*[flag(key) for key in TEN], generation=1)
    court.say("a", TEN)
    assert court.say("a", []).is_held


def test_a_shape_that_lists_only_what_is_on_is_suspect_only_when_emptied() -> None:
    court = Court()
    on = json.dumps({"featureFlags": dict.fromkeys(TEN, True)}).encode()
    court.say("a", Whole(200, "application/json", on))
    few, none = (json.dumps({"featureFlags": dict.fromkeys(keys, True)}).encode() for keys in (["f0"], []))
    assert court.say("a", Whole(200, "application/json", few)).finding is Finding.PLAIN
    court.say("b", Whole(200, "application/json", on))
    assert court.say("b", Whole(200, "application/json", none)).is_held, "and what is off for one is not gone for all"


@pytest.mark.parametrize(
    "body",
    [
        {"featureFlags": dict.fromkeys(TEN, False), "errorsWhileComputingFlags": False, "featureFlagPayloads": {}},
        {"featureFlags": TEN},
    ],
)
def test_every_shape_can_be_emptied(body: dict[str, object]) -> None:
    court = Court()
    court.say("a", Whole(200, "application/json", json.dumps(body).encode()))
    emptied = body | {"featureFlags": [] if isinstance(body["featureFlags"], list) else {}}
    assert court.say("a", Whole(200, "application/json", json.dumps(emptied).encode())).is_held


def test_an_answer_from_another_process_is_compared_like_any_other() -> None:
    court = Court()
    court.say("a", TEN)
    for entry in court.memory.cache._entries.values():
        entry.value.set_mark = None
    assert court.say("a", TEN).finding is Finding.PLAIN
    for entry in court.memory.cache._entries.values():
        entry.value.set_mark = None
    assert court.say("a", []).is_held


def test_what_is_known_of_a_project_is_bounded_by_bytes() -> None:
    gone = Gone()
    gone.add((f"{n:0300}" for n in range(5000)), is_plain=True, now=0)
    assert gone.bytes <= MOST_BYTES
    assert gone.explained([f"{4999:0300}"], frozenset(), Measure(within_s=60, flags=5, ratio=0.3, now=1))
    assert not gone.explained([f"{0:0300}"], frozenset(), Measure(within_s=60, flags=5, ratio=0.3, now=1))
    gone.expire(0)
    assert (len(gone), gone.bytes) == (0, 0)


def test_siblings_learn_what_one_worker_believes_to_be_gone_and_each_thing_once() -> None:
    told: list[tuple[tuple[str, ...], bool]] = []
    busy, quiet = Court(), Court()
    busy.judge.tell = lambda _, flags, is_plain: told.append((flags, is_plain))
    quiet.say("rare", TEN)
    for user in ("a", "b"):
        busy.say(user, TEN)
    for left in range(9, -1, -1):
        for user in ("a", "b"):
            busy.say(user, TEN[:left])
    assert sorted(flag for flags, _ in told for flag in flags) == TEN
    assert sorted(flag for flags, is_plain in told for flag in flags if not is_plain) == TEN[:3], "most of what was left"
    for flags, is_plain in told:
        quiet.judge.learn(PROJECT, flags, is_plain=is_plain)
    assert quiet.say("rare", []).finding is Finding.EXPLAINED


def test_forgetting_a_project_forgets_what_was_learnt_of_it() -> None:
    court = Court()
    court.say("a", TEN)
    court.say("a", [])
    court.judge.forget(PROJECT)
    assert court.judge.suspicion(PROJECT) is None
