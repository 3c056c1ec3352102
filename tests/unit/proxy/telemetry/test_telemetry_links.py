"""Who shares an exchange has a span of its own, linked to the span of who asked first."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from opentelemetry.sdk.resources import Resource

from proxy.answer.answer import Answer, Failure, Source, Trouble, Whole
from proxy.answer.request import FlagsRequest
from proxy.config.settings import Telemetry
from proxy.telemetry.assembly import watch_of
from proxy.telemetry.shipping.translated import span as translated
from proxy.telemetry.traces import exchanged
from proxy.telemetry.traces.current import CURRENT, Trace
from proxy.telemetry.traces.span import CLIENT, SERVER, Link, Span
from tests.fakes.clock import FakeClock
from tests.fakes.posting import FakePost
from tests.fakes.requests import flags_request
from tests.fakes.transport import FakeTransport

GOOD = Answer(content=Whole(200, "application/json", b"{}"), source=Source.UPSTREAM)
FAILED = Answer(content=Whole(200, "", b""), source=Source.STALE, failure=Failure(trouble=Trouble.TIMEOUT))


class Scene:
    """A watch over one upstream; whether a request is drawn is the test's to say."""

    def __init__(self) -> None:
        self.clock, self.post, self.transport = FakeClock(), FakePost(), FakeTransport()
        settings = Telemetry(otlp_url="http://collector.invalid", trace_ratio=0.0)
        self.watch = watch_of(settings, clock=self.clock, post=self.post, generation=lambda _: None, rng=Random(1))
        self.upstream = self.watch.over(self.transport, "eu")

    def begun(self, who: str = "me", *, is_drawn: bool) -> tuple[FlagsRequest, Trace | None]:
        request = flags_request(who, started=self.clock.monotonic())
        assert self.watch.tracer is not None
        self.watch.tracer.draw.ratio = float(is_drawn)
        return request, self.watch.begin(None, request, is_trusted=False)

    def ended(self, request: FlagsRequest, trace: Trace | None, answer: Answer, *, joined: bool) -> None:
        told = Answer(content=answer.content, source=answer.source, failure=answer.failure, joined=joined)
        self.watch.answered(request, told, trace, None)

    async def asked(self, request: FlagsRequest, trace: Trace | None) -> None:
        CURRENT.set(trace)
        await self.upstream.exchange(request)
        CURRENT.set(None)
        self.clock.advance(0.1)

    @property
    def servers(self) -> list[Span]:
        return [span for span in self.post.spans if span.kind == SERVER]

    @property
    def clients(self) -> list[Span]:
        return [span for span in self.post.spans if span.kind == CLIENT]


async def shared(scene: Scene, *, leader: bool, joiner: bool, answer: Answer = GOOD) -> tuple[Span | None, Span | None]:
    """Two callers of one exchange, each drawn or not; return their spans."""
    first = scene.begun(is_drawn=leader)
    scene.clock.advance(0.01)
    second = scene.begun(is_drawn=joiner)
    await scene.asked(*first)
    scene.ended(*first, answer, joined=False)
    told = len(scene.servers)
    scene.ended(*second, answer, joined=True)
    return (scene.servers[0] if told else None), (scene.servers[told] if len(scene.servers) > told else None)


async def test_a_joiners_span_is_linked_to_the_leaders() -> None:
    leader, joiner = await shared(Scene(), leader=True, joiner=True)
    assert leader is not None
    assert joiner is not None
    assert joiner.links == [Link(leader.trace_id, leader.span_id)]
    assert leader.links == []
    assert joiner.trace_id != leader.trace_id


async def test_without_a_leaders_span_there_is_nothing_to_link_to() -> None:
    leader, joiner = await shared(Scene(), leader=False, joiner=True)
    assert leader is None
    assert joiner is not None
    assert joiner.links == []


@pytest.mark.parametrize("is_drawn", [True, False])
async def test_an_exchange_that_failed_for_many_is_told_once(is_drawn: bool) -> None:
    scene = Scene()
    scene.transport.say = Failure(trouble=Trouble.TIMEOUT)
    leader, joiner = await shared(scene, leader=is_drawn, joiner=False, answer=FAILED)
    assert leader is not None
    assert joiner is not None
    assert joiner.links == [Link(leader.trace_id, leader.span_id)]
    assert [span.trace_id for span in scene.clients] == [leader.trace_id]


async def test_who_is_answered_while_the_exchange_goes_on_is_linked_too() -> None:
    scene = Scene()
    scene.transport.hold()
    first = scene.begun(is_drawn=True)
    flying = asyncio.create_task(scene.asked(*first))
    await asyncio.sleep(0)
    CURRENT.set(None)
    second = scene.begun(is_drawn=True)
    scene.ended(*second, FAILED, joined=True)
    scene.transport.release()
    await flying
    assert first[1] is not None
    assert scene.servers[0].links == [Link(first[1].trace_id, first[1].span_id)]


async def test_an_exchange_that_was_over_before_is_nobodys_to_share() -> None:
    scene = Scene()
    await shared(scene, leader=True, joiner=True)
    scene.clock.advance(1)
    _, joiner = await shared(scene, leader=False, joiner=True)
    assert joiner is not None
    assert scene.servers[-1].links == []


async def test_another_question_is_not_what_was_shared() -> None:
    scene = Scene()
    first, other = scene.begun("me", is_drawn=True), scene.begun("another", is_drawn=True)
    await scene.asked(*first)
    scene.ended(*other, GOOD, joined=True)
    assert scene.servers[-1].links == []


async def test_leaders_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanged, "LEADERS", 2)
    scene = Scene()
    for who in ("a", "b", "c"):
        await scene.asked(*scene.begun(who, is_drawn=True))
    assert scene.watch.tracer is not None
    assert len(scene.watch.tracer._exchanges._leaders) == 2


def test_a_link_goes_out_as_the_collector_knows_links() -> None:
    made = Span("ab" * 16, "cd" * 8, "", True, "", "POST /flags", SERVER, 1, 2, False, {}, [], [Link("ef" * 16, "12" * 8)])
    (link,) = translated(made, Resource({})).links
    assert (link.context.trace_id, link.context.span_id) == (int("ef" * 16, 16), int("12" * 8, 16))
