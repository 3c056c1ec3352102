"""Which requests are traced, what their spans tell, and how the context travels."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.answer.answer import Answer, Assembled, Failure, Forward, Source, Trouble, Whole
from proxy.config.settings import Policy, Telemetry
from proxy.edge.flags.head import Heads
from proxy.edge.forwarded import TrustedProxies
from proxy.telemetry.assembly import watch_of
from proxy.telemetry.metrics.table import AGE_BOUNDS, DURATION_BOUNDS
from proxy.telemetry.traces import story
from proxy.telemetry.traces.context import Parent, read_parent
from proxy.telemetry.traces.current import CURRENT
from proxy.telemetry.traces.draw import MOST_PER_S, Draw
from proxy.telemetry.watch import Watch
from tests.fakes.clock import FakeClock
from tests.fakes.posting import FakePost
from tests.fakes.requests import flags_request
from tests.fakes.transport import FakeTransport

TRACE, SPAN = "ab" * 16, "cd" * 8
LINE = f"00-{TRACE}-{SPAN}-01"
PARENT = Parent(TRACE, SPAN, is_sampled=True, line=LINE)
GOOD = Answer(content=Whole(200, "application/json", b"{}"), source=Source.UPSTREAM, forward=Forward.MISS, stored=True)
STALE = Answer(
    content=Whole(200, "application/json", b"{}"),
    source=Source.STALE,
    age_s=12.3456,
    failure=Failure(trouble=Trouble.BREAKER_OPEN, retry_after_s=1.5),
    forward=Forward.STALE,
)
BARE = Answer(content=Assembled(b"", status=503), source=Source.NONE, failure=Failure(trouble=Trouble.STATUS, status=500))


class Scene:
    """A watch whose time, draws and post are the test's."""

    def __init__(self, *, ratio: float = 0.0, on: bool = True, generation: int | None = None) -> None:
        self.clock = FakeClock()
        self.post = FakePost()
        settings = Telemetry(otlp_url="http://collector.invalid" if on else None, trace_ratio=ratio)
        self.watch: Watch = watch_of(settings, clock=self.clock, post=self.post, generation=lambda _: generation, rng=Random(1))

    def answered(self, answer: Answer, *, parent: Parent | None = None, is_trusted: bool = False, **changes: Any) -> None:
        request = flags_request(started=self.clock.monotonic(), **changes)
        trace = self.watch.begin(parent, request, is_trusted=is_trusted)
        self.clock.advance(0.25)
        self.watch.answered(request, answer, trace, parent)

    async def exchanged(self, transport: FakeTransport, **changes: Any) -> None:
        await self.watch.over(transport, "eu").exchange(flags_request(**changes))


@pytest.mark.parametrize(
    ("line", "is_valid"),
    [
        (LINE, True),
        (f"00-{TRACE}-{SPAN}-00", True),
        (f"01-{TRACE}-{SPAN}-01-what-the-future-adds", True),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (LINE.upper(), False),
        (f" {LINE}", False),
        ("", False),
        (f"00-{TRACE}-{SPAN}-01\n", False),
    ],
)
def test_only_a_valid_traceparent_counts(line: str, is_valid: bool) -> None:
    assert (read_parent(line, None) is not None) is is_valid


def test_a_tracestate_that_could_not_be_written_back_is_dropped() -> None:
    kept, dropped = read_parent(LINE, "vendor=1"), read_parent(LINE, "a=\r\nb")
    assert kept is not None
    assert dropped is not None
    assert kept.lines == (("traceparent", LINE), ("tracestate", "vendor=1"))
    assert dropped.lines == (("traceparent", LINE),)


def heads_of(*lines: tuple[str, str]) -> Any:
    raw = tuple((name.encode(), value.encode()) for name, value in lines)
    return SimpleNamespace(raw_headers=raw, headers=CIMultiDictProxy(CIMultiDict(lines)), remote="10.0.0.9")


def test_heads_that_differ_in_their_trace_alone_are_known_again() -> None:
    heads = Heads(trusted=TrustedProxies(["10.0.0.0/8"]))
    first = heads.of(heads_of(("User-Agent", "sdk"), ("Traceparent", LINE), ("tracestate", "v=1")))
    second = heads.of(heads_of(("User-Agent", "sdk"), ("Traceparent", LINE.replace("cd", "ef"))))
    plain = heads.of(heads_of(("User-Agent", "sdk")))
    assert first.number == second.number != 0
    assert [value for name, value in second.lines if name.lower() == "traceparent"] == [LINE.replace("cd", "ef")]
    assert plain.lines == tuple(line for line in first.lines if line[0] not in {"traceparent", "tracestate"})
    assert first.lines[-2:] == (("traceparent", LINE), ("tracestate", "v=1"))
    assert (first.parent, first.is_trusted, plain.parent) == (read_parent(LINE, "v=1"), True, None)


def test_an_invalid_trace_line_passes_as_any_other_line_does() -> None:
    head = Heads(trusted=TrustedProxies()).of(heads_of(("traceparent", "mine")))
    assert ("traceparent", "mine") in head.lines
    assert (head.parent, head.is_trusted) == (None, False)


def test_a_trusted_caller_decides_and_another_does_not() -> None:
    never = Draw(ratio=0.0, random=lambda: 0.0, clock=FakeClock())
    always = Draw(ratio=1.0, random=lambda: 0.0, clock=FakeClock())
    unsampled = Parent(TRACE, SPAN, is_sampled=False, line=LINE)
    assert never.before(PARENT, is_trusted=True)
    assert not never.before(PARENT, is_trusted=False)
    assert not always.before(unsampled, is_trusted=True)
    assert always.before(unsampled, is_trusted=False)


def test_without_a_collector_nothing_is_traced() -> None:
    scene = Scene(ratio=1.0, on=False)
    scene.answered(STALE)
    assert scene.post.spans == []


def test_a_drawn_request_is_told_from_its_arrival_to_its_answer() -> None:
    scene = Scene(ratio=1.0, generation=7)
    scene.answered(GOOD, parent=PARENT)
    (span,) = scene.post.spans
    assert (span.trace_id, span.parent_id, span.name, span.is_error) == (TRACE, SPAN, "POST /flags", False)
    assert span.end_ns - span.start_ns == pytest.approx(250_000_000, abs=1000)
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/flags",
        "url.scheme": "http",
        "url.path": "/flags/",
        "http.response.status_code": 200,
        "holdfast.project": "default",
        "holdfast.upstream": "default",
        "holdfast.source": "upstream",
        "holdfast.flight": "own",
        "holdfast.stored": True,
        "holdfast.forward": "miss",
        "holdfast.definitions.generation": 7,
    }
    assert span.events == []
    assert CURRENT.get() is None


def test_a_fallback_that_was_not_drawn_is_told_all_the_same_with_the_whole_way() -> None:
    scene = Scene()
    scene.answered(STALE)
    scene.answered(GOOD)
    (span,) = scene.post.spans
    assert span.parent_id == ""
    assert span.attributes["holdfast.failure"] == "breaker_open"
    assert span.attributes["holdfast.age_s"] == 12.346
    assert [(event.name, event.attributes) for event in span.events] == [
        ("holdfast.breaker.open", {"holdfast.failure": "breaker_open", "holdfast.retry_after_s": 1.5}),
        ("holdfast.rung", {"holdfast.rung": "stale", "holdfast.filled": True}),
    ]


def test_an_answer_that_nobody_had_is_an_error_that_names_every_rung() -> None:
    scene = Scene()
    scene.answered(BARE, policy=Policy(rungs=("stale", "local")))
    (span,) = scene.post.spans
    assert span.is_error
    assert span.attributes["error.type"] == "status"
    assert span.attributes["holdfast.received_status"] == 500
    assert [event.attributes.get("holdfast.filled") for event in span.events] == [None, False, False]


def test_an_assembled_answer_lists_its_flags_by_source() -> None:
    sources = {f"flag-{number}": Source.LOCAL for number in range(story.KEYS_TOLD + 1)} | {"old": Source.STALE}
    scene = Scene()
    scene.answered(
        Answer(content=Assembled(b"{}", sources), source=Source.LOCAL, failure=Failure(trouble=Trouble.TIMEOUT)),
        policy=Policy(rungs=("stale", "local")),
    )
    events = [event for event in scene.post.spans[0].events if event.name == "holdfast.assembled"]
    assert [(event.attributes["holdfast.source"], event.attributes["holdfast.flags"]) for event in events] == [
        ("local", story.KEYS_TOLD + 1),
        ("stale", 1),
    ]
    assert len(events[0].attributes["holdfast.keys"]) == story.KEYS_TOLD  # type: ignore[arg-type]
    rungs = [event.attributes["holdfast.filled"] for event in scene.post.spans[0].events if event.name == "holdfast.rung"]
    assert rungs == [True, True]


def test_what_is_not_plain_or_not_in_the_vocabulary_is_no_attribute() -> None:
    scene = Scene(ratio=1.0)
    notes = {"judge": object(), "unheard_of": 1, "would": {"source": Source.STALE, "status": 200, "trouble": None}}
    answer = Answer(content=Whole(200, "", b""), source=Source.UPSTREAM, notes=notes)
    scene.answered(answer)
    notes_told = {key: value for key, value in scene.post.spans[0].attributes.items() if ".note." in key}
    assert notes_told == {"holdfast.note.would.source": "stale", "holdfast.note.would.status": 200}


def test_of_fallbacks_that_were_not_drawn_ten_a_second_are_told_for_each_project_and_reason() -> None:
    clock = FakeClock()
    draw = Draw(ratio=0.0, random=lambda: 1.0, clock=clock)
    told = Counter[tuple[str, str]]()
    for project in ("a", "b"):
        for reason in ("timeout", "status"):
            for _ in range(MOST_PER_S + 5):
                told[project, reason] += draw.after(project, reason)
    assert set(told.values()) == {MOST_PER_S}
    assert draw.passed_over == 4 * 5
    clock.advance(1.0)
    assert draw.after("a", "timeout")


async def test_an_exchange_below_a_drawn_request_is_a_span_that_upstream_continues() -> None:
    scene = Scene(ratio=1.0)
    transport = FakeTransport()
    request = flags_request(headers=(("Traceparent", LINE), ("User-Agent", "sdk")))
    trace = scene.watch.begin(PARENT, request, is_trusted=False)
    assert trace is not None
    await scene.watch.over(transport, "eu").exchange(request)
    scene.watch.answered(request, GOOD, trace, PARENT)
    client, server = scene.post.spans
    assert (client.parent_id, client.trace_id, client.kind) == (server.span_id, TRACE, 3)
    assert transport.asked[0].headers == (("User-Agent", "sdk"), ("traceparent", f"00-{TRACE}-{client.span_id}-01"))
    assert client.attributes == {
        "http.request.method": "POST", "holdfast.upstream": "eu", "http.response.status_code": 200,
    }  # fmt: skip


async def test_an_exchange_of_a_request_that_was_not_drawn_goes_out_as_it_came() -> None:
    scene = Scene()
    transport = FakeTransport()
    await scene.exchanged(transport, headers=(("traceparent", LINE),))
    assert transport.asked[0].headers == (("traceparent", LINE),)
    assert scene.post.spans == []


async def test_a_fallback_told_afterwards_has_its_exchange_and_nobody_elses() -> None:
    scene = Scene()
    failed = FakeTransport(Failure(trouble=Trouble.TIMEOUT))
    await scene.exchanged(failed, distinct_id="another")
    await scene.exchanged(failed, distinct_id="me")  # of an earlier request
    scene.clock.advance(1)
    request = flags_request("me", started=scene.clock.monotonic())
    await scene.watch.over(failed, "eu").exchange(request)
    stale = Answer(content=Whole(200, "", b""), source=Source.STALE, failure=Failure(trouble=Trouble.TIMEOUT))
    scene.watch.answered(request, stale, None, None)
    client, server = scene.post.spans
    assert (client.parent_id, client.is_error, client.attributes["error.type"]) == (server.span_id, True, "timeout")


async def test_exchanges_are_counted_by_how_they_ended() -> None:
    scene = Scene()
    await scene.exchanged(FakeTransport())
    await scene.exchanged(FakeTransport(Failure(trouble=Trouble.STATUS, status=503)))
    slate = scene.watch.meter.slate
    counted = {labels: slate.cells[at] for (name, labels), at in slate.places() if name == "holdfast.exchanges"}
    assert counted == {("eu", "2xx"): 1.0, ("eu", "status"): 1.0}


def test_answers_are_counted_by_project_source_and_outcome() -> None:
    scene = Scene()
    for answer in (GOOD, GOOD, STALE, BARE):
        scene.answered(answer)
    scene.answered(Answer(content=Whole(401, "", b""), source=Source.UPSTREAM))
    slate = scene.watch.meter.slate
    counted = {labels: slate.cells[at] for (name, labels), at in slate.places() if name == "holdfast.answers"}
    assert counted == {
        ("default", "upstream", "ok"): 2.0,
        ("default", "stale", "breaker_open"): 1.0,
        ("default", "none", "status"): 1.0,
        ("default", "upstream", "client_error"): 1.0,
    }


def test_durations_and_ages_go_into_their_buckets_and_sums() -> None:
    scene = Scene()
    scene.answered(STALE)
    slate = scene.watch.meter.slate
    cells = {name: list(slate.cells[at : at + 16]) for (name, _), at in slate.places()}
    took, age = cells["http.server.request.duration"], cells["holdfast.answer.age"]
    assert (took[bisect_left(DURATION_BOUNDS, 0.25)], took[len(DURATION_BOUNDS) + 1]) == (1.0, pytest.approx(0.25))
    assert (age[bisect_left(AGE_BOUNDS, 12.3456)], age[len(AGE_BOUNDS) + 1]) == (1.0, 12.3456)


def test_methods_and_statuses_of_others_cannot_fill_the_tables() -> None:
    scene = Scene()
    for number in range(5000):
        scene.answered(GOOD, method=f"M{number}")
    slate = scene.watch.meter.slate
    routes = [labels for (name, labels), _ in slate.places() if name == "http.server.request.duration"]
    assert routes == [("_OTHER", "/flags", "200", "upstream")]
    assert len(scene.watch.meter._rows) <= 4096
