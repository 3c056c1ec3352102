"""An answer whose flags are byte for byte those remembered is told from one whose bytes merely occur among them."""

from __future__ import annotations

import pytest

from proxy.answer.answer import Trouble
from tests.fakes.line import FakeLine
from tests.fakes.transport import good

BODY = {"token": "t", "distinct_id": "u"}


def record(key: str, payload: str = "null") -> str:
    return f'"{key}":{{"key":"{key}","enabled":true,"variant":null,"metadata":{{"id":1,"version":1,"payload":{payload}}}}}'


def answer(*records: str, request_id: str = "r") -> bytes:
    return f'{{"errorsWhileComputingFlags":false,"flags":{{{",".join(records)}}},"requestId":"{request_id}"}}'.encode()


MANY = tuple(record(f"flag-{number}") for number in range(10))


@pytest.mark.parametrize(
    ("before", "after", "trouble"),
    [
        ((*MANY, record("odd", "{}")), (), Trouble.SUSPECT),
        ((*MANY, record("odd", f"{{{MANY[0]}}}")), (MANY[0],), Trouble.SUSPECT),
        (MANY, MANY, None),
        (MANY, tuple(reversed(MANY)), None),
        (MANY, MANY[:8], None),
    ],
)
async def test_only_the_same_flags_are_the_same(
    before: tuple[str, ...], after: tuple[str, ...], trouble: Trouble | None
) -> None:
    line = FakeLine()
    line.transport.say = good(answer(*before))
    await line.ask(BODY)
    line.transport.say = good(answer(*after, request_id="another"))
    given = await line.ask(BODY)
    assert (None if given.failure is None else given.failure.trouble) == trouble


async def test_what_was_believed_gone_is_seen_again_though_its_askers_answer_never_changed() -> None:
    line = FakeLine()
    other = BODY | {"distinct_id": "other"}
    line.transport.say = good(answer(*MANY))
    for body in (BODY, other):
        await line.ask(body)
    line.transport.say = good(answer(*MANY[1:]))
    await line.ask(other)
    judge = line.line.judgement.judge
    assert judge.is_gone("default", "flag-0")
    line.transport.say = good(answer(*MANY))
    await line.ask(BODY)
    assert not judge.is_gone("default", "flag-0")
