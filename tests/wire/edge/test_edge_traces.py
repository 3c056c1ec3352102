"""Requests that are handed on, as traces: a server span, the exchange below it, and nothing of what they carry."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from proxy.config.settings import Settings, Telemetry
from proxy.edge.server import EdgeServer
from proxy.telemetry.traces.draw import MOST_PER_S
from proxy.telemetry.traces.span import CLIENT, SERVER, Span, encode
from proxy.worker import build
from tests.fakes.posting import FakePost
from tests.wire.edge.recorder import recorder, saying
from tests.wire.edge.rooms import Caller, settings_for, until

Run = Callable[..., None]

TRACE, SPAN = "ab" * 16, "cd" * 8
LINE = f"traceparent: 00-{TRACE}-{SPAN}-01"
DEAD = "http://127.0.0.1:9"
CANARIES = (b"phc_canary", b"canary-person", b"canary-flag", b"canary_config")


@asynccontextmanager
async def traced(settings: Settings, *, ratio: float = 1.0) -> AsyncIterator[tuple[Caller, FakePost]]:
    """A worker's line with everything it has, whose spans the test keeps."""
    post = FakePost()
    telemetry = Telemetry(otlp_url="http://collector.invalid", trace_ratio=ratio)
    line = build(replace(settings, telemetry=telemetry), post=post)
    edge = EdgeServer(line.app, limits=settings.limits, drain_s=0.2)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await edge.start([sock])
    try:
        yield Caller(sock.getsockname()[1]), post
    finally:
        await edge.stop()
        await line.close()


async def both(post: FakePost) -> tuple[Span, Span]:
    """Return the exchange's span and the request's, which is told when the answer has gone out."""
    await until(lambda: len(post.spans) >= 2)
    client, server = post.spans
    assert (client.kind, server.kind) == (CLIENT, SERVER)
    return client, server


def test_an_event_is_a_server_span_and_the_exchange_below_it_which_upstream_continues(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, traced(settings_for(upstream.url)) as (proxy, post):
            await proxy.post("/batch/", b'{"api_key":"phc_canary"}', LINE)
            client, server = await both(post)
            assert (server.trace_id, server.parent_id, client.parent_id) == (TRACE, SPAN, server.span_id)
            assert upstream.seen[0].values("traceparent") == [f"00-{TRACE}-{client.span_id}-01"]
            told = {
                "http.request.method": "POST", "holdfast.use": "ingestion", "holdfast.upstream": "default",
                "http.response.status_code": 200,
            }  # fmt: skip
            assert client.attributes == told
            assert server.attributes == told | {"url.scheme": "http"}
            assert not server.is_error

    run(scenario())


@pytest.mark.parametrize(
    ("target", "use"),
    [
        ("/array/phc_canary/config.js", "assets"),
        ("/flags/definitions?token=phc_canary", "relay"),
        ("/api/projects/1/feature_flags/canary-flag/remote_config?token=phc_canary", "relay"),
    ],
)
def test_what_is_handed_on_is_told_by_its_use_alone(run: Run, target: str, use: str) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, traced(settings_for(upstream.url)) as (proxy, post):
            await proxy.get(target, "Authorization: Bearer canary_config", "X-Person: canary-person")
            assert len(upstream.seen) == 1
            assert [span.attributes["holdfast.use"] for span in await both(post)] == [use, use]
            sent = b"".join(encode(span) for span in post.spans)
            assert [canary for canary in CANARIES if canary in sent] == []

    run(scenario())


@pytest.mark.parametrize("target", ["/_holdfast/live", "/elsewhere", "/flags"])
def test_what_is_not_handed_on_is_no_span_here(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, traced(settings_for(upstream.url)) as (proxy, post):
            await proxy.get(target, method="OPTIONS")
            await proxy.get("/_holdfast/live")
            await proxy.get("/static/a.js")
            client, server = await both(post)
            assert client.trace_id == server.trace_id, "the one that was handed on"

    run(scenario())


def test_of_exchanges_that_failed_without_being_drawn_ten_a_second_are_told(run: Run) -> None:
    async def scenario() -> None:
        async with traced(settings_for(DEAD), ratio=0.0) as (proxy, post):
            reply = await proxy.post("/e/", b"{}", LINE)
            assert reply.status == 503
            await until(lambda: post.spans)
            (client,) = post.spans
            assert (client.trace_id, client.parent_id, client.kind, client.is_error) == (TRACE, SPAN, CLIENT, True)
            assert client.attributes["error.type"] == "connection_refused"
            assert "http.response.status_code" not in client.attributes
            for _ in range(MOST_PER_S * 2):
                await proxy.post("/e/", b"{}")
            seconds = {span.start_ns // 1_000_000_000 for span in post.spans}
            assert len(post.spans) <= MOST_PER_S * (max(seconds) - min(seconds) + 2)

    run(scenario())


def test_an_exchange_that_went_well_and_was_not_drawn_leaves_the_callers_line_alone(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, traced(settings_for(upstream.url), ratio=0.0) as (proxy, post):
            await proxy.post("/e/", b"{}", LINE)
            upstream.script = saying(b"", close=True)
            await proxy.post("/e/", b"{}")
            await until(lambda: post.spans)
            assert [span.is_error for span in post.spans] == [True], "only the one that failed"
            assert upstream.seen[0].values("traceparent") == [LINE.partition(": ")[2]]

    run(scenario())


def test_an_answer_that_breaks_off_is_an_error_of_the_exchange(run: Run) -> None:
    async def scenario() -> None:
        cut = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=True)
        async with recorder() as upstream, traced(settings_for(upstream.url)) as (proxy, post):
            upstream.script = cut
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await proxy.get("/static/a.js")
            client, server = await both(post)
            assert (client.is_error, client.attributes["error.type"]) == (True, "incomplete")
            assert client.attributes["http.response.status_code"] == server.attributes["http.response.status_code"] == 200

    run(scenario())


def test_a_trusted_caller_decides_for_its_events_too(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream:
            trusting = settings_for(upstream.url, trusted=("127.0.0.1/32",))
            async with traced(trusting, ratio=0.0) as (proxy, post):
                await proxy.post("/e/", b"{}", LINE)
                await proxy.post("/e/", b"{}")
                await proxy.post("/e/", b"{}", LINE)
                await until(lambda: len(post.spans) >= 4)
                assert {span.trace_id for span in post.spans} == {TRACE}

    run(scenario())
