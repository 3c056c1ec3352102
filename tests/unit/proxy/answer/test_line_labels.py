"""The story of an answer in headers: small, fixed words, one form per case."""

from __future__ import annotations

import re

import pytest

from proxy.answer.answer import Answer, Assembled, Failure, Forward, Source, Trouble, Whole
from proxy.answer.labels import ERRORS, labels, retry_after_s

WHOLE = Whole(200, "application/json", b"{}")
REFUSED = Failure(trouble=Trouble.REFUSED)
OPEN = Failure(trouble=Trouble.BREAKER_OPEN, retry_after_s=1.2)
BUSY = Failure(trouble=Trouble.STATUS, status=503)
PARTIAL = Failure(trouble=Trouble.PARTIAL, status=200)
STALE = {"content": WHOLE, "source": Source.STALE, "age_s": 12.7, "fresh_for_s": -12.7, "forward": Forward.STALE}


@pytest.mark.parametrize(
    ("answer", "cache", "proxy", "age"),
    [
        (Answer(content=WHOLE, source=Source.FRESH, age_s=3.9, fresh_for_s=6.1), "holdfast; hit; ttl=7", None, "3"),
        (
            Answer(content=WHOLE, source=Source.STALE, age_s=15.5, fresh_for_s=-5.5),
            "holdfast; hit; ttl=-5; detail=stale",
            None,
            "15",
        ),
        (
            Answer(content=Assembled(b""), source=Source.UPSTREAM, failure=PARTIAL, forward=Forward.STALE),
            "holdfast; fwd=stale; fwd-status=200",
            'holdfast; received-status=200; details="partial"',
            None,
        ),
        (
            Answer(content=WHOLE, source=Source.UPSTREAM, forward=Forward.MISS, stored=True),
            "holdfast; fwd=miss; fwd-status=200; stored",
            None,
            None,
        ),
        (
            Answer(content=WHOLE, source=Source.UPSTREAM, forward=Forward.STALE, joined=True),
            "holdfast; fwd=stale; fwd-status=200; collapsed",
            None,
            None,
        ),
        (
            Answer(**STALE, failure=REFUSED),
            "holdfast; fwd=stale; ttl=-12; detail=stale",
            'holdfast; error=connection_refused; details="connection_refused"',
            "12",
        ),
        (
            Answer(**STALE, failure=BUSY, joined=True),
            "holdfast; fwd=stale; fwd-status=503; collapsed; ttl=-12; detail=stale",
            'holdfast; received-status=503; details="status"',
            "12",
        ),
        (
            Answer(**STALE, failure=OPEN),
            "holdfast; hit; ttl=-12; detail=stale",
            'holdfast; error=destination_unavailable; details="breaker_open"',
            "12",
        ),
        (
            Answer(content=Assembled(b""), source=Source.LOCAL, failure=REFUSED, forward=Forward.MISS, age_s=2),
            "holdfast; fwd=miss; detail=local",
            'holdfast; error=connection_refused; details="connection_refused"',
            "2",
        ),
        (
            Answer(content=Whole(503, "", b""), source=Source.UPSTREAM, failure=BUSY, forward=Forward.BYPASS),
            "holdfast; fwd=bypass; fwd-status=503",
            'holdfast; received-status=503; details="status"',
            None,
        ),
        (
            Answer(content=Assembled(b"", status=503), source=Source.NONE, failure=OPEN, forward=Forward.MISS),
            "holdfast; fwd=miss; detail=none",
            'holdfast; error=destination_unavailable; details="breaker_open"',
            None,
        ),
    ],
)
def test_every_kind_of_answer_has_its_labels(answer: Answer, cache: str, proxy: str | None, age: str | None) -> None:
    said = dict(labels(answer))
    assert (said.get("Cache-Status"), said.get("Proxy-Status"), said.get("Age")) == (cache, proxy, age)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_labels_stay_small_and_name_nothing(trouble: Trouble) -> None:
    answer = Answer(
        content=WHOLE,
        source=Source.CONFIGURED,
        age_s=1e7,
        fresh_for_s=-1e7,
        forward=Forward.METHOD,
        joined=True,
        failure=Failure(trouble=trouble, status=599),
    )
    text = "".join(f"{name}: {value}\r\n" for name, value in labels(answer))
    assert len(text) <= 512
    assert re.fullmatch(r'[A-Za-z-]+: holdfast[a-z0-9_;="\- ]*\r\nProxy-Status: holdfast[a-z0-9_;="\- ]*\r\nAge: \d+\r\n', text)


def test_every_trouble_has_a_word_of_the_rfc_or_a_status() -> None:
    assert set(ERRORS) == set(Trouble)


@pytest.mark.parametrize(("wait_s", "said"), [(None, 1), (0.2, 1), (1.2, 2), (500.0, 60)])
def test_our_own_503_says_when_to_come_back(wait_s: float | None, said: int) -> None:
    failure = Failure(trouble=Trouble.BREAKER_OPEN, retry_after_s=wait_s)
    assert retry_after_s(Answer(content=Assembled(b"", status=503), source=Source.NONE, failure=failure)) == said
    assert retry_after_s(Answer(content=Whole(503, "", b""), source=Source.UPSTREAM, failure=failure)) is None
