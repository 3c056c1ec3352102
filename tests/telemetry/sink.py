"""A collector that keeps what it is sent, decoded; or a slow one, or one that never answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Sink:
    """One collector on a free port.

    Attributes:
        traces: Pushes of spans, in order.
        metrics: Pushes of figures, in order.
        headers: Of every push.
        raw: Every body, inflated.
        pause_s: How long each push is made to wait.
    """

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.pause_s = pause_s
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_post("/v1/metrics", self._metrics)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    def spans(self) -> list[Span]:
        """Every span so far."""
        return list(self._spans())

    def points(self, name: str) -> list[Any]:
        """The data points of one instrument, as last pushed."""
        for request in reversed(self.metrics):
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == name:
                            return list(getattr(metric, metric.WhichOneof("data")).data_points)
        return []

    def _spans(self) -> Iterator[Span]:
        for request in self.traces:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    yield from scope.spans

    async def _traces(self, request: web.Request) -> web.Response:
        self.traces.append(ExportTraceServiceRequest.FromString(await self._taken(request)))
        return _said(ExportTraceServiceResponse())

    async def _metrics(self, request: web.Request) -> web.Response:
        self.metrics.append(ExportMetricsServiceRequest.FromString(await self._taken(request)))
        return _said(ExportMetricsServiceResponse())

    async def _taken(self, request: web.Request) -> bytes:
        body = await request.read()
        await asyncio.sleep(self.pause_s)
        self.headers.append(dict(request.headers))
        self.raw.append(body)
        return body


def told(attributes: Any) -> dict[str, Any]:
    """OTLP attributes as a plain table."""
    return {each.key: _plain(each.value) for each in attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, kind)


def _said(answer: Any) -> web.Response:
    return web.Response(body=answer.SerializeToString(), content_type="application/x-protobuf")


class Hole:
    """A black hole: takes connections and never says a word."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._swallow, "127.0.0.1", 0)
        self._held: list[asyncio.StreamWriter] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._held:
            writer.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _swallow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._held.append(writer)
        while await reader.read(1 << 16):
            """Swallowed."""
