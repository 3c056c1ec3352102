"""Spans and figures of a real instance over real OTLP; and what happens when nobody, or nobody quick, takes them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.telemetry.scraping import scrape, total
from tests.telemetry.sink import Hole, Sink, told
from tests.wire.process.support.callers import Callers, ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import BODY, Upstream

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ALL = {"TELEMETRY__TRACE_RATIO": 1, "TELEMETRY__PUSH_S": 1}


def settings(upstream: str, collector: str, **more: Any) -> dict[str, Any]:
    return {"UPSTREAMS__DEFAULT__URL": upstream, "ADMIN__PORT": 0, "TELEMETRY__OTLP_URL": collector, **ALL, **more}


async def post(instance: Instance, **headers: str) -> int:
    url = f"http://127.0.0.1:{instance.port}/flags/?v=2"
    body = {"token": "phc_a", "distinct_id": "p"}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        return answer.status


async def test_client_proxy_and_service_are_one_trace() -> None:
    asked: list[str] = []

    async def flags(request: web.Request) -> web.Response:
        asked.append(request.headers["traceparent"])
        return web.Response(body=BODY, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{path:.*}", flags)
    trusting = {"TRUSTED_PROXIES": '["127.0.0.1/32"]', "TELEMETRY__TRACE_RATIO": 0}
    async with Sink() as sink, TestServer(app) as service:
        async with Instance(**settings(str(service.make_url("")), sink.url, **trusting)) as instance:
            await instance.ready(1)
            assert await post(instance, traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="vendor=1") == 200
            await until(lambda: len(sink.spans()) == 2, "both spans")
        server, client = sorted(sink.spans(), key=lambda span: span.kind)
    assert [span.trace_id.hex() for span in (server, client)] == [TRACE, TRACE]
    assert (server.parent_span_id.hex(), server.trace_state, server.kind) == (SPAN, "vendor=1", Span.SPAN_KIND_SERVER)
    assert client.parent_span_id == server.span_id
    assert asked == [f"00-{TRACE}-{client.span_id.hex()}-01"]
    assert server.start_time_unix_nano <= client.start_time_unix_nano <= client.end_time_unix_nano <= server.end_time_unix_nano


async def test_a_stranger_cannot_have_itself_sampled_and_its_context_still_arrives(upstream: Upstream) -> None:
    async with Sink() as sink:
        async with Instance(**settings(upstream.url, sink.url, TELEMETRY__TRACE_RATIO=0)) as instance:
            await instance.ready(1)
            assert await post(instance, traceparent=f"00-{TRACE}-{SPAN}-01") == 200
            await until(lambda: sink.points("holdfast.answers"), "figures")
        assert sink.spans() == []


async def test_figures_arrive_with_units_and_totals_and_speak_for_the_whole_instance(upstream: Upstream) -> None:
    async with Sink() as sink:
        async with Instance(**settings(upstream.url, sink.url, PROCESS__WORKERS=2)) as instance:
            await instance.ready(2)
            async with Callers(instance.port) as callers:
                await callers.more(100)
            instance.signal(15)
            assert await instance.ended() == 0
        (point,) = sink.points("holdfast.answers")
        assert told(point.attributes) == {"project": "default", "source": "upstream", "outcome": "ok"}
        assert point.as_int == callers.answered, "the last push, on stop, has everything"
        (histogram,) = sink.points("http.server.request.duration")
        assert (histogram.count, sum(histogram.bucket_counts)) == (callers.answered, callers.answered)
        assert not histogram.HasField("min")
        resources = {str(told(push.resource_metrics[0].resource.attributes)) for push in sink.metrics}
        assert len(resources) == 1, "one identity, whoever pushed"
        metric = sink.metrics[-1].resource_metrics[0].scope_metrics[0].metrics[0]
        assert (metric.name, metric.unit, metric.sum.is_monotonic) == ("holdfast.answers", "{answer}", True)
        servers = [span for span in sink.spans() if span.kind == Span.SPAN_KIND_SERVER]
        assert len(servers) == callers.answered, "on stop, spans that wait are pushed, too"


async def test_the_collector_gets_its_authorization_and_no_log_does(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTLP_AUTH", "Bearer canary-4711")
    async with Sink() as sink:
        async with Instance(**settings(upstream.url, sink.url, TELEMETRY__AUTHORIZATION__ENV="OTLP_AUTH")) as instance:
            await instance.ready(1)
            await until(lambda: sink.headers, "a push")
        assert {headers["Authorization"] for headers in sink.headers} == {"Bearer canary-4711"}
        assert "canary-4711" not in json.dumps(instance.lines) + instance.stderr


async def test_a_service_that_is_gone_is_told_in_the_span_of_who_asked() -> None:
    async with Sink() as sink:
        async with Instance(**settings("http://127.0.0.1:9", sink.url)) as instance:
            await instance.ready(1)
            assert await post(instance) == 503
            spans = await until(sink.spans, "the fallback's span")
        assert {told(span.attributes).get("holdfast.failure") for span in spans if span.kind == 2} == {"connection_refused"}


@pytest.mark.parametrize("kind", ["dead", "hole", "slow"])
async def test_a_collector_that_is_away_or_slow_costs_no_answer_and_little_memory(kind: str, upstream: Upstream) -> None:
    async with Hole() as hole, Sink(pause_s=1.5) as slow:
        url = {"dead": "http://127.0.0.1:9", "hole": hole.url, "slow": slow.url}[kind]
        bounded = {"TELEMETRY__QUEUE_BYTES": 20_000, "TELEMETRY__TIMEOUT_S": 1}
        async with Instance(**settings(upstream.url, url, **bounded)) as instance:
            await instance.ready(1)
            async with Callers(instance.port) as callers:
                await callers.more(600)
            assert callers.failed == []

            async def pushed() -> bool:
                series = await scrape(instance)
                lost = total(series, "holdfast_telemetry_spans_total", fate="dropped")
                return lost > 0 and total(series, "holdfast_telemetry_pushes_total", outcome="failed") > 0

            for _ in range(300):
                if await pushed():
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("what was lost was never told")
            assert len(instance.events("collector_away")) == 1, "one line an outage"
            started = time.monotonic()
            instance.signal(15)
            assert await instance.ended() == 0
            assert time.monotonic() - started < 10 + 5, "inside the drain time and its margin"


async def test_another_collector_is_taken_by_a_reload(upstream: Upstream, tmp_path: Any) -> None:
    config = tmp_path / "holdfast.toml"

    def write(url: str) -> None:
        config.write_text(
            f'[upstreams.default]\nurl = "{upstream.url}"\n[telemetry]\ntrace_ratio = 1.0\npush_s = 1.0\notlp_url = "{url}"\n'
        )

    async with Sink() as first, Sink() as second:
        write(first.url)
        async with Instance(config=config, ADMIN__PORT=0) as instance:
            await instance.ready(1)
            await ask(instance.port)
            await until(first.spans, "spans at the first")
            write(second.url)
            async with aiohttp.ClientSession() as session, session.post(f"{instance.admin}/reload") as answer:
                assert answer.status == 200
            await ask(instance.port)
            await until(second.spans, "spans at the second")
