"""A flag service, a proxy in front of it, and a client that writes bytes: all on loopback, all stopped at the end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Self
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from proxy.config.settings import Policy, Settings, Upstream
from proxy.edge.server import EdgeServer
from proxy.telemetry.traces.post import Post
from proxy.worker import Line, build
from reference.service.app import build as build_service
from reference.service.project.project import load_catalogue
from tests.fakes.clock import FakeClock

TOKEN = "phc_test"
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
NEW_ID = UUID("00000000-0000-4000-8000-00000000000a")
ALL = {"groups": [{"properties": [], "rollout_percentage": 100}], "payloads": {"true": '{"a": 1}'}}
HALF = {"groups": [{"properties": [], "rollout_percentage": 50}]}
COUNTRY = {"groups": [{"properties": [{"key": "$geoip_country_code", "value": "SE", "operator": "exact", "type": "person"}]}]}
VARIANTS = {
    "groups": [{"properties": [], "rollout_percentage": 100}],
    "multivariate": {"variants": [{"key": "red", "rollout_percentage": 50}, {"key": "blue", "rollout_percentage": 50}]},
    "payloads": {"red": '"r"', "blue": '"b"'},
}
DOCUMENT: dict[str, Any] = {
    "flags": [
        {"id": 1, "key": "on", "active": True, "version": 3, "filters": ALL},
        {"id": 2, "key": "half", "active": True, "filters": HALF},
        {"id": 3, "key": "color", "active": True, "filters": VARIANTS},
        {"id": 4, "key": "server-side", "active": True, "filters": ALL, "evaluation_runtime": "server"},
        {"id": 5, "key": "client-side", "active": True, "filters": ALL, "evaluation_runtime": "client"},
        {"id": 6, "key": "survey-targeting-x", "active": True, "filters": ALL},
        {"id": 7, "key": "swede", "active": True, "filters": COUNTRY},
    ],
    "group_type_mapping": {"0": "organization"},
    "cohorts": {},
    "service": {
        "tokens": [TOKEN],
        "config": {"surveys": False, "hasFeatureFlags": True, "siteApps": [{"id": 7}]},
        "geoip": {"203.0.113.7": {"$geoip_country_code": "SE"}},
        "projects": [
            {"flags": [], "service": {"team_id": 2, "tokens": ["phc_empty"], "config": None}},
            {"flags": [], "service": {"team_id": 3, "tokens": ["phc_over"], "over_quota": ["feature_flags"]}},
        ],
    },
}

Exchange = Callable[[web.Request], Awaitable[web.StreamResponse]]
Around = Callable[[Exchange], Exchange]


@dataclass(frozen=True)
class Reply:
    """One answer as it was on the wire."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    @property
    def cache(self) -> str:
        return ", ".join(self.headers.getall("Cache-Status"))

    @property
    def essence(self) -> tuple[int, str | None, bytes]:
        return self.status, self.headers.get("Content-Type"), self.body

    def json(self) -> Any:
        return json.loads(self.body)


async def send(
    port: int,
    body: bytes | Mapping[str, Any] = b"",
    *,
    target: str = "/flags/?v=2",
    method: str = "POST",
    headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"), ("User-Agent", "posthog-python/7.91.1")),
) -> Reply:
    """Write one request and read its answer to the end of the connection."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *(f"{n}: {v}" for n, v in headers)]
    if text or method == "POST":
        lines.append(f"Content-Length: {len(text)}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + text)
    try:
        return parse(await reader.read())
    finally:
        writer.close()
        await writer.wait_closed()


def parse(raw: bytes) -> Reply:
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers: CIMultiDict[str] = CIMultiDict(line.split(": ", 1) for line in lines)  # type: ignore[misc]
    return Reply(int(status_line.split(" ")[1]), headers, body)


@dataclass
class House:
    """What one test runs; leaving it stops everything."""

    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    clock: FakeClock = field(default_factory=FakeClock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def service(self, *, port: int = 0, around: Around = lambda exchange: exchange) -> Service:
        """Start the flag service with a standing clock and fixed identifiers."""
        catalogue = load_catalogue(json.dumps(DOCUMENT).encode())
        app = build_service(catalogue, clock=lambda: NOW, new_id=lambda: NEW_ID, has_test_face=True, around=around)
        service = Service(web.AppRunner(app, shutdown_timeout=0), port)
        await service.start()
        self.stack.push_async_callback(service.kill)
        return service

    async def raw(self, behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
        """Start an upstream that does what `behave` does with each connection; return its port."""
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            try:
                await behave(reader, writer)
            finally:
                writer.close()

        async def end() -> None:
            server.close()
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        self.stack.push_async_callback(end)
        return int(server.sockets[0].getsockname()[1])

    async def proxy(self, port: int, *, policy: Policy | None = None, post: Post | None = None, **settings: Any) -> Proxy:
        """Start a proxy in front of a port."""
        upstreams = {"default": Upstream(url=f"http://127.0.0.1:{port}", **settings.pop("upstream", {}))}
        made = Settings(upstreams=upstreams, policy=policy or Policy(), **settings)
        line = build(made, clock=self.clock, rng=Random(1), post=post)
        self.stack.push_async_callback(line.close)
        edge = EdgeServer(line.app, limits=made.limits, drain_s=0.1)
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        await edge.start([sock])
        self.stack.push_async_callback(edge.stop)
        return Proxy(line, edge, sock.getsockname()[1])


@dataclass
class Proxy:
    line: Line
    edge: EdgeServer
    port: int


@dataclass
class Service:
    runner: web.AppRunner
    port: int

    async def start(self) -> None:
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def kill(self) -> None:
        await self.runner.cleanup()

    async def calls(self) -> list[dict[str, Any]]:
        """Return every request it has seen."""
        return (await send(self.port, method="GET", target="/_test/calls")).json()
