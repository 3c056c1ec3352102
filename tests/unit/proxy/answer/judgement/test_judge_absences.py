"""What answers with errors leave out without a word: filled from elsewhere until it is believed to be gone."""

from __future__ import annotations

from proxy.answer.judgement.lost.absence import Absences
from tests.fakes.judging import Court
from tests.fakes.requests import PROJECT, flags_request

TEN = [f"f{n}" for n in range(10)]


def absent(court: Court, keys: list[str], missing: list[str]) -> set[str]:
    request = flags_request("a", policy=court.policy)
    return court.judge.absent(request, set(keys), set(missing))


def test_what_answers_with_errors_lack_for_a_minute_on_end_is_gone() -> None:
    court = Court()
    found = []
    for _ in range(4):
        found.append(absent(court, ["f0"], ["f1"]))
        court.clock.advance(20)
    assert found == [set(), set(), set(), {"f1"}]
    assert absent(court, ["f0"], ["f1"]) == {"f1"}
    assert court.judge.is_gone(PROJECT, "f1")
    assert court.lines.events() == ["absent_flags_believed"]


def test_a_flag_that_some_answer_has_meanwhile_is_not_gone() -> None:
    court = Court()
    for _ in range(3):
        absent(court, ["f0"], ["f1"])
        court.clock.advance(20)
    court.say("b", ["f1"])
    assert absent(court, ["f0"], ["f1"]) == set()
    absent(court, ["f1"], [])
    assert not court.judge.is_gone(PROJECT, "f1")


def test_what_an_error_free_answer_lost_is_gone_for_answers_with_errors_too() -> None:
    court = Court()
    court.say("b", TEN)
    court.say("b", TEN[1:])
    assert absent(court, ["f1"], ["f0", "f2"]) == {"f0"}


def test_absences_put_to_the_proof_are_bounded() -> None:
    absences = Absences()
    absences.miss({f"{n}" for n in range(5000)}, every_s=20, needed=3, now=0)
    assert len(absences) == 4096
    absences.see({f"{n}" for n in range(5000)})
    assert len(absences) == 0
