"""Lines about requests: which are written, and what they say."""

from __future__ import annotations

from typing import Any

from proxy.answer.answer import Answer, Failure, Source, Trouble, Whole
from proxy.config.settings import Telemetry
from proxy.telemetry.access import Access
from proxy.telemetry.assembly import watch_of
from proxy.telemetry.traces.draw import MOST_PER_S
from tests.fakes.clock import FakeClock
from tests.fakes.posting import FakePost
from tests.fakes.requests import flags_request

GOOD = Answer(content=Whole(200, "", b""), source=Source.FRESH, age_s=2.0)
STALE = Answer(content=Whole(200, "", b""), source=Source.STALE, age_s=60.0, failure=Failure(trouble=Trouble.TIMEOUT))


class Notebook:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append(("warning", event, fields))


def noted(*answers: Answer, ratio: float, draw: float = 0.5) -> Notebook:
    clock, book = FakeClock(), Notebook()
    watch = watch_of(Telemetry(), clock=clock, generation=lambda _: None)
    watch.access = Access(ratio=ratio, clock=clock, log=book, random=lambda: draw)  # type: ignore[arg-type]
    for answer in answers:
        request = flags_request(started=clock.monotonic() - 0.0125)
        watch.answered(request, answer, None, None)
    return book


def test_a_share_of_the_requests_gets_a_line() -> None:
    assert noted(GOOD, ratio=0.0).lines == []
    assert noted(GOOD, ratio=0.4, draw=0.5).lines == []
    (line,) = noted(GOOD, ratio=0.6, draw=0.5).lines
    assert line == (
        "info",
        "answered",
        {
            "project": "default", "endpoint": "flags", "source": "fresh", "outcome": "ok", "status": 200, "age_s": 2.0,
            "took_ms": 12.5,
        },
    )  # fmt: skip


def test_a_line_names_the_span_that_tells_of_the_same_request() -> None:
    clock, book, post = FakeClock(), Notebook(), FakePost()
    watch = watch_of(Telemetry(otlp_url="http://c.invalid", trace_ratio=0), clock=clock, post=post, generation=lambda _: None)
    watch.access = Access(ratio=0.0, clock=clock, log=book)  # type: ignore[arg-type]
    watch.answered(flags_request(started=clock.monotonic()), STALE, None, None)
    fields, (span,) = book.lines[0][2], post.spans
    assert (fields["trace_id"], fields["span_id"]) == (span.trace_id, span.span_id)


def test_requests_in_trouble_are_told_whatever_the_share_but_not_all_of_them() -> None:
    lines = noted(*[STALE] * (MOST_PER_S + 3), ratio=0.0).lines
    assert [(level, event, fields["outcome"]) for level, event, fields in lines] == [
        ("warning", "fallback", "timeout")
    ] * MOST_PER_S
