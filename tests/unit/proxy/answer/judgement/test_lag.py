"""Answers older, or newer, than the definitions held: believed, but said."""

from __future__ import annotations

from collections import Counter

from proxy.answer.judgement.judge import Finding
from proxy.answer.judgement.lag import AHEAD_S, EVERY, OUTDATED_S, Lag
from proxy.answer.request import ProjectName
from proxy.answer.shape import read_answer
from tests.fakes.definitions import flag
from tests.fakes.judging import Court, answer
from tests.fakes.requests import PROJECT, flags_request


class Lagging(Court):
    def __init__(self) -> None:
        super().__init__()
        self.findings: Counter[tuple[ProjectName, Finding]] = Counter()
        self.lag = Lag(self.findings, clock=self.clock, log=self.lines.log)

    def look(self, version: int, *, times: int = EVERY) -> None:
        reading = read_answer(answer(["a", "unlisted"], version=version))
        assert reading is not None
        for _ in range(times):
            self.lag.look(flags_request(), reading, self.definitions)


async def test_answers_of_an_older_version_than_the_definitions_of_two_minutes_ago_are_outdated() -> None:
    court = Lagging()
    await court.hold(flag("a", version=5), generation=1)
    await court.hold(flag("a", version=6), generation=2)
    court.look(5)
    assert not court.findings, "caches of upstream's may take a while"
    court.clock.advance(OUTDATED_S)
    court.look(5)
    court.look(6)
    assert court.findings == {(PROJECT, Finding.OUTDATED): 1}


async def test_answers_of_a_newer_version_for_ten_minutes_tell_that_definitions_stand_still() -> None:
    court = Lagging()
    await court.hold(flag("a", version=5), generation=1)
    court.look(6)
    court.clock.advance(AHEAD_S - 1)
    court.look(6)
    assert not court.findings
    court.clock.advance(1)
    court.look(6)
    assert court.findings == {(PROJECT, Finding.AHEAD): 1}
    court.look(5)
    court.look(6)
    assert court.findings[PROJECT, Finding.AHEAD] == 1, "it begins anew"


async def test_one_answer_in_many_is_looked_at() -> None:
    court = Lagging()
    await court.hold(flag("a", version=6), generation=1)
    court.look(5, times=EVERY - 1)
    assert not court.findings
    court.look(5, times=1 + EVERY)
    assert court.findings[PROJECT, Finding.OUTDATED] == 2


async def test_it_is_said_once_an_hour() -> None:
    court = Lagging()
    await court.hold(flag("a", version=6), generation=1)
    for _ in range(3):
        court.look(5)
        court.clock.advance(1800)
    assert court.lines.events() == ["answers_and_definitions_disagree"] * 2
    assert court.lines.lines[0] | {"project": PROJECT, "answers": "outdated"} == court.lines.lines[0]


async def test_without_versions_or_definitions_there_is_nothing_to_compare() -> None:
    court = Lagging()
    court.look(5)
    await court.hold(flag("a", version=0), generation=1)
    court.look(5)
    await court.hold(flag("a", version=6), generation=2)
    court.clock.advance(OUTDATED_S)
    court.look(0)
    assert not court.findings
