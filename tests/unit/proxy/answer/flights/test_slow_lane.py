"""While upstream is merely slow, who turns out to have no other source is asked for in the reserved lane."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.answer.answer import Source, Trouble
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import Record
from proxy.config.settings import Breaker
from tests.fakes.slow import BODY, SlowLine

ASKED = BODY | {"flag_keys": ["a", "b"]}


@pytest.fixture
def line() -> Iterator[SlowLine]:
    with SlowLine(breaker=Breaker(slow_s=0.5, slow_ratio=0.5, minimum_calls=4, open_s=30)) as line:
        line.transport.after_s = 0.8
        for n in range(4):
            line.ask(BODY | {"distinct_id": str(n)})
        assert line.line.origins["default"].gate.state == "open"
        line.transport.asked.clear()
        yield line


class Knowing:
    """A rung that has some flags."""

    def __init__(self, line: SlowLine, *keys: str) -> None:
        records = {key: Record(key=key, enabled=True, value=True) for key in keys}
        self._filled = Filled(source=Source.LOCAL, records=records)
        line.walk._rungs = {**line.walk._rungs, "local": self}
        line.walk._holds = lambda _: True

    async def fill(self, *_: object) -> Filled | None:
        return self._filled if self._filled.records else None


def test_who_has_another_source_leaves_the_lane_to_others(line: SlowLine) -> None:
    answer = line.ask(BODY | {"distinct_id": "0"})
    assert (answer.source, answer.failure and answer.failure.trouble) == (Source.STALE, Trouble.BREAKER_OPEN)
    Knowing(line, "a", "b")
    assert line.ask(ASKED).source is Source.LOCAL
    assert line.transport.asked == []


def test_a_stranger_is_asked_for_in_the_lane(line: SlowLine) -> None:
    answer = line.ask(BODY | {"distinct_id": "new"})
    assert (answer.source, answer.failure, answer.stored) == (Source.UPSTREAM, None, True)


@pytest.mark.parametrize("keys", [(), ("a",)])
def test_who_seemed_to_have_a_source_that_then_had_not_all_is_asked_for_after_all(
    line: SlowLine, keys: tuple[str, ...]
) -> None:
    Knowing(line, *keys)
    answer = line.ask(ASKED)
    assert (answer.source, answer.failure) == (Source.UPSTREAM, None)
    assert len(line.transport.asked) == 1


def test_a_full_lane_leaves_what_there_is(line: SlowLine) -> None:
    Knowing(line, "a")
    lane = line.line.origins["default"].lane
    while lane.enter():
        pass
    answer = line.ask(ASKED)
    assert (answer.source, answer.failure and answer.failure.trouble) == (Source.LOCAL, Trouble.BREAKER_OPEN)
