"""`bypass` is a pure relay; `observe` gives the same and notes what the line would have given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.answer.answer import Failure, Source, Trouble, Whole
from proxy.answer.switches import Turn
from proxy.config.settings import Breaker, Policy
from tests.fakes.slow import BODY, SlowLine
from tests.fakes.transport import GOOD, good

DOWN = Failure(trouble=Trouble.REFUSED, no_byte_received=True)
ODD = [Whole(status, "text/html", b"<html>", (("X-Odd", "1"),)) for status in (200, 302, 400, 401, 429, 500, 502, 504)]


@pytest.fixture
def line() -> Iterator[SlowLine]:
    with SlowLine(policy=Policy(fresh_s=10), breaker=Breaker(consecutive=3)) as line:
        line.ask()
        yield line


def turn(line: SlowLine, switch: str) -> None:
    line.line.switches.set(Turn(switch=switch, on=True))


@pytest.mark.parametrize("switch", ["bypass", "observe"])
@pytest.mark.parametrize("said", ODD, ids=lambda said: str(said.status))
def test_whatever_upstream_says_is_given_as_it_came(line: SlowLine, said: Whole, switch: str) -> None:
    turn(line, switch)
    line.transport.say = said
    for _ in range(5):  # neither a fresh copy, nor an open breaker, nor a joined flight comes between
        answer = line.ask()
        assert (answer.content, answer.source, answer.forward, answer.failure) == (
            said,
            Source.UPSTREAM,
            None,
            None,
        )
    assert len(line.transport.asked) == 6


@pytest.mark.parametrize("switch", ["bypass", "observe"])
def test_the_one_answer_of_ours_is_for_when_upstream_says_nothing(line: SlowLine, switch: str) -> None:
    turn(line, switch)
    line.transport.say = DOWN
    answer = line.ask()
    assert (answer.content.status, answer.source, answer.failure) == (503, Source.NONE, DOWN)


def test_a_relayed_answer_is_waited_for_longer_than_any_deadline_of_ours(line: SlowLine) -> None:
    turn(line, "bypass")
    line.transport.after_s = 9.0
    assert line.ask().content == good()


def test_bypass_remembers_and_notes_nothing(line: SlowLine) -> None:
    turn(line, "bypass")
    line.transport.say = good(GOOD + b" ")
    assert line.ask().notes == {}
    assert line.line.observed.answers == {}
    line.line.switches.clear("bypass")
    assert line.ask().content.body == GOOD


def test_observe_notes_what_the_line_would_have_given(line: SlowLine) -> None:
    turn(line, "observe")
    line.transport.say = good(GOOD.replace(b"true", b"false"))
    assert line.ask().notes["would"] == {"source": "fresh", "trouble": None, "status": 200, "differs": True}
    line.advance(20)
    line.transport.say = Whole(500, "text/plain", b"oops")
    assert line.ask().notes["would"] == {"source": "stale", "trouble": "status", "status": 200, "differs": True}
    assert line.ask(BODY | {"distinct_id": "new"}).notes["would"] == {
        "source": "upstream",
        "trouble": "status",
        "status": 500,
        "differs": False,
    }
    assert line.line.observed.answers == {
        ("default", "fresh", None): 1,
        ("default", "stale", "status"): 1,
        ("default", "upstream", "status"): 1,
    }
    assert line.line.observed.differing == {"default": 2}


def test_observe_says_when_the_breaker_would_have_refused_and_upstream_is_asked_all_the_same(line: SlowLine) -> None:
    turn(line, "observe")
    line.advance(20)
    line.transport.say = DOWN
    for _ in range(3):
        line.ask()
    line.transport.say = good()
    answer = line.ask()
    assert answer.content == good()
    assert (answer.notes["would"]["source"], answer.notes["would"]["trouble"]) == ("stale", "breaker_open")


def test_observe_says_who_would_have_won_the_race(line: SlowLine) -> None:
    turn(line, "observe")
    line.advance(20)
    line.transport.after_s = 1.5
    assert line.ask().notes["would"]["trouble"] == "timeout"
    line.transport.after_s = 3.0
    stranger = line.ask(BODY | {"distinct_id": "new"})
    assert (stranger.content, stranger.notes["would"]["source"]) == (good(), "none")


def test_observe_fills_memory_as_ever(line: SlowLine) -> None:
    turn(line, "observe")
    newcomer = BODY | {"distinct_id": "new"}
    line.ask(newcomer)
    line.line.switches.clear("observe")
    assert line.ask(newcomer).source is Source.FRESH


def test_observe_judges_and_gives_all_the_same() -> None:
    with SlowLine() as line:
        many = b",".join(b'"f%d":{"key":"f%d","enabled":true}' % (n, n) for n in range(10))
        line.transport.say = good(b'{"errorsWhileComputingFlags":false,"flags":{%s}}' % many)
        line.ask()
        turn(line, "observe")
        emptied = good(b'{"errorsWhileComputingFlags":false,"flags":{}}')
        line.transport.say = emptied
        answer = line.ask()
        assert answer.content == emptied
        assert answer.notes["would"] == {
            "source": "stale",
            "trouble": "suspect",
            "status": 200,
            "differs": True,
            "judge": "held",
        }
