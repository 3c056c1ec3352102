"""Proxy → a real collector under otel-collector.yaml → what comes out at its other ends. `make collector` builds it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from proxy.config.settings import Telemetry
from proxy.telemetry.shipping.otlp import Otlp
from proxy.telemetry.traces.span import SERVER, Event, Span, encode
from tests.telemetry.scraping import Series, parsed, total
from tests.telemetry.sink import Sink, told
from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream
from tools.collector.build import CONFIG, find, validate
from tools.sdks.install import required_here
from tools.sdks.unavailable import Unavailable

PATIENCE_S = 60.0


@pytest.fixture
def binary() -> str:
    try:
        return str(find())
    except Unavailable as reason:
        if required_here():
            raise
        pytest.skip(str(reason))


def free() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@asynccontextmanager
async def collector(binary: str, backend: str) -> AsyncIterator[dict[str, str]]:
    """Run the collector with every port a free one; its health says when it is there."""
    places = {"OTLP_LISTEN": free(), "PROMETHEUS_LISTEN": free(), "HEALTH_LISTEN": free()}
    environ = {**os.environ, **places, "OTLP_BACKEND_URL": backend}
    process = await asyncio.create_subprocess_exec(
        binary, "--config", str(CONFIG), env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await fetched(f"http://{places['HEALTH_LISTEN']}/", lambda _: True)
        yield places
    finally:
        process.terminate()
        await process.wait()


async def fetched(url: str, is_enough: Any) -> str:
    """Return a page as soon as it is there and says enough."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    async with aiohttp.ClientSession() as session:
        while asyncio.get_running_loop().time() < deadline:
            try:
                async with session.get(url) as answer:
                    text = await answer.text()
                    if answer.status == 200 and is_enough(text):
                        return text
            except aiohttp.ClientError:
                """Not there yet."""
            await asyncio.sleep(0.05)
    raise AssertionError(f"never enough at {url}")


def test_the_file_is_valid(binary: str) -> None:
    assert validate(binary) == ""


async def test_fallbacks_and_figures_come_out_at_the_other_end(binary: str) -> None:
    async with Sink() as backend, collector(binary, backend.url) as places, Upstream() as upstream:
        settings = {"TELEMETRY__OTLP_URL": f"http://{places['OTLP_LISTEN']}", "TELEMETRY__PUSH_S": 1, "ADMIN__PORT": 0}
        async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, **settings, TELEMETRY__TRACE_RATIO=0) as instance:
            await instance.ready(1)
            await ask(instance.port)
            async with Instance(UPSTREAMS__DEFAULT__URL="http://127.0.0.1:9", **settings) as lonely:
                await lonely.ready(1)
                assert (await ask(lonely.port))[0] == 503

                def has_both(text: str) -> bool:
                    return total(parsed(text), "holdfast_answers_total") >= 2

                series: Series = parsed(await fetched(f"http://{places['PROMETHEUS_LISTEN']}/metrics", has_both))
                assert total(series, "holdfast_answers_total", source="upstream", outcome="ok") == 1
                assert total(series, "holdfast_answers_total", source="none", outcome="connection_refused") == 1
                await until(backend.spans, "the trace that tail sampling kept")
        servers = [told(span.attributes) for span in backend.spans() if span.kind == 2]
        assert [each["holdfast.failure"] for each in servers] == ["connection_refused"]
        assert any(event.name == "holdfast.rung" for span in backend.spans() for event in span.events)
        (point, *_) = backend.points("holdfast.answers")
        assert point.as_int == 1


async def test_what_must_not_leave_is_stopped_here_as_well(binary: str) -> None:
    """A span that a later release might send by mistake: the second lock holds."""
    canary = "phc_canary4711"
    leaking = Span(
        "ab" * 16, "cd" * 8, "", False, "", "POST /flags", SERVER, 1, 2, True,
        {"holdfast.project": canary, "person.email": "who@example.com", "holdfast.source": "none"},
        [Event("holdfast.rung", 1, {"holdfast.rung": "who@example.com", "token": canary})],
    )  # fmt: skip
    async with Sink() as backend, collector(binary, backend.url) as places:
        exporter = Otlp(Telemetry(otlp_url=f"http://{places['OTLP_LISTEN']}"), authorization=None, instance="i", started_ns=0)
        assert await asyncio.to_thread(exporter.spans, [encode(leaking)])
        await until(backend.spans, "the span")
        (span,) = backend.spans()
        everything = b"".join(backend.raw)
        assert told(span.attributes)["holdfast.source"] == "none"
        assert b"canary4711" not in everything
        assert b"example.com" not in everything
