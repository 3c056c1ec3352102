"""Polls for definitions as spans: sampled, by themselves, with our own words, and without the key."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from aiohttp import ClientConnectionResetError, ClientPayloadError
from msgspec.structs import replace

from proxy.config.secret import Secret
from proxy.config.settings import Settings, Telemetry, Upstream
from proxy.definitions.upkeep.source import Answer, NotModified, Trouble
from proxy.definitions.upkeep.watched import Watched
from proxy.telemetry.handing import POLL, Whither
from proxy.telemetry.shipping.own import OwnSpans
from proxy.telemetry.traces.draw import MOST_PER_S
from proxy.telemetry.traces.span import CLIENT, Span, decode
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import KEY, FakeSource, fetched, flags

ON = Telemetry(otlp_url="http://collector.invalid", trace_ratio=1.0)


class Scene:
    """A watched source; `packets` is what was handed to the shipper."""

    def __init__(self, say: Answer, telemetry: Telemetry = ON) -> None:
        self.source, self.packets = FakeSource(say), list[bytes]()
        self.spans = OwnSpans(telemetry, clock=FakeClock(), rng=Random(1))
        self.spans.post.take = self.packets.append
        self.watched = Watched(self.source, self.spans.handing, Whither(POLL, "eu", "shop"))

    async def poll(self) -> Answer:
        return await self.watched.fetch(token="phc_shop", key=Secret(KEY), etag=None, timeout_s=10.0)

    @property
    def told(self) -> list[Span]:
        return [decode(packet) for packet in self.packets]


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (fetched(flags(1)), {"http.response.status_code": 200}),
        (NotModified(), {"http.response.status_code": 304}),
        (Trouble("status_429", 3.0), {"http.response.status_code": 429, "error.type": "status_429"}),
        (Trouble("timeout"), {"error.type": "timeout"}),
    ],
)
async def test_a_poll_is_a_span_that_upstream_continues(say: Answer, outcome: dict[str, object]) -> None:
    scene = Scene(say)
    assert await scene.poll() == say
    (span,) = scene.told
    assert (span.kind, span.parent_id, span.name, span.is_error) == (CLIENT, "", "GET", "error.type" in outcome)
    named = {"http.request.method": "GET", "holdfast.use": "definitions", "holdfast.upstream": "eu", "holdfast.project": "shop"}
    assert span.attributes == named | outcome
    assert scene.source.lines == [{"traceparent": f"00-{span.trace_id}-{span.span_id}-01"}]
    assert not any(secret in scene.packets[0] for secret in (b"phc_shop", KEY.encode()))


async def test_of_polls_that_are_not_drawn_only_the_failed_ones_are_told_and_not_too_many() -> None:
    scene = Scene(NotModified(), replace(ON, trace_ratio=0.0))
    await scene.poll()
    assert (scene.told, scene.source.lines) == ([], [{}])
    scene.source.say = Trouble("timeout")
    for _ in range(MOST_PER_S + 5):
        await scene.poll()
    assert len(scene.told) == MOST_PER_S
    (row,) = scene.spans.rows()
    assert row.read() == {("passed_over",): 5.0}


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (200, ClientConnectionResetError("the caller has gone"), None),
        (200, ClientPayloadError("it breaks off"), "incomplete"),
        (None, ClientConnectionResetError("upstream has gone"), "connection_reset"),
    ],
)
def test_a_caller_who_hangs_up_is_no_trouble_of_upstreams(status: int | None, error: Exception, told: str | None) -> None:
    scene = Scene(NotModified())
    with suppress(type(error)), scene.spans.handing.over(Whither("assets", "eu"), "GET", (), is_own=True) as exchange:
        exchange.status = status
        raise error
    assert [span.attributes.get("error.type") for span in scene.told] == [told]


async def test_without_a_collector_no_poll_is_traced_until_a_reload_names_one() -> None:
    scene = Scene(Trouble("timeout"), Telemetry(trace_ratio=1.0))
    await scene.poll()
    assert scene.told == []
    scene.spans.reconfigure(Settings(upstreams={"default": Upstream(url="http://upstream.invalid")}, telemetry=ON))
    await scene.poll()
    assert len(scene.told) == 1
