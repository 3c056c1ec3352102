"""Asking for definitions on real sockets: what is sent, what each answer means, and what is never followed or told."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.config.secret import Secret
from proxy.config.settings import Upstream
from proxy.definitions.upkeep.source import Answer, Fetched, HttpSource, NotModified, Trouble, fetch_plain
from reference.service.app import build
from reference.service.project.project import load_catalogue

KEY = Secret("phx_canary")
BODY = b'{"flags": [], "cohorts": {}}'
LIMIT = 1000

Respond = Callable[[web.Request], web.StreamResponse]


class Scripted:
    """An upstream that answers as told and notes the requests."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.respond: Respond = lambda _: web.Response()
        self.hang = False
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.server = TestServer(app)
        self.url = ""

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.hang:
            await asyncio.Event().wait()
        return self.respond(request)


@pytest.fixture
async def upstream() -> AsyncIterator[Scripted]:
    scripted = Scripted()
    await scripted.server.start_server()
    scripted.url = str(scripted.server.make_url("")).rstrip("/")
    yield scripted
    await scripted.server.close()


async def ask(upstream: Scripted, *, path: str = "", etag: str | None = None, timeout_s: float = 30) -> Answer:
    source = HttpSource(Upstream(url=upstream.url + path.rstrip("/"), response_bytes=LIMIT))
    try:
        return await source.fetch(token="phc_a", key=KEY, etag=etag, timeout_s=timeout_s)
    finally:
        await source.close()


def says(status: int = 200, body: bytes = b"", **headers: str) -> Respond:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=status, body=body, headers=named)


MEANINGS = [
    # what upstream says, the ETag that was sent, what it means
    (says(200, BODY, ETag='W/"abc"'), None, Fetched(BODY, 'W/"abc"')),
    (says(200, BODY), None, Fetched(BODY, None)),
    (says(200, gzip.compress(BODY), Content_Encoding="gzip"), None, Fetched(BODY, None)),
    (says(200, b"not gzip", Content_Encoding="gzip"), None, Trouble("malformed")),
    (says(200, b"x" * (LIMIT + 1)), None, Trouble("too_large")),
    (says(200, gzip.compress(b"x" * (LIMIT + 1)), Content_Encoding="gzip"), None, Trouble("malformed")),
    (says(304), '"1"', NotModified()),
    (says(304), None, Trouble("unasked_304")),
    (says(401, b"canary"), None, Trouble("status_401", is_about_key=True)),
    (says(403), None, Trouble("status_403", is_about_key=True)),
    (says(402), None, Trouble("status_402")),
    (says(429, Retry_After="7"), None, Trouble("status_429", retry_after_s=7.0)),
    (says(429, Retry_After="99999999"), None, Trouble("status_429", retry_after_s=86_400.0)),
    (says(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), None, Trouble("status_503")),
    (says(503, Retry_After="-1"), None, Trouble("status_503")),
    (says(500), None, Trouble("status_500")),
    (says(204), None, Trouble("status_204")),
    (says(302, Location="/elsewhere"), None, Trouble("status_302")),
]


@pytest.mark.parametrize(("respond", "etag", "meaning"), MEANINGS)
async def test_what_an_answer_means(upstream: Scripted, respond: Respond, etag: str | None, meaning: Answer) -> None:
    upstream.respond = respond
    assert await ask(upstream, etag=etag) == meaning
    assert len(upstream.requests) == 1


async def test_what_is_sent(upstream: Scripted) -> None:
    await ask(upstream, path="/prefix/", etag='W/"1"')
    (request,) = upstream.requests
    assert (request.method, request.path) == ("GET", "/prefix/flags/definitions")
    assert dict(request.query) == {"token": "phc_a", "send_cohorts": ""}
    assert request.headers["Authorization"] == "Bearer phx_canary"
    assert request.headers["If-None-Match"] == 'W/"1"'
    await ask(upstream)
    assert "If-None-Match" not in upstream.requests[1].headers


async def test_nobody_there_and_nobody_answering_are_trouble(upstream: Scripted) -> None:
    upstream.hang = True
    assert await ask(upstream, timeout_s=0.05) == Trouble("timeout")
    await upstream.server.close()
    assert await ask(upstream) == Trouble("connection_refused")


async def test_a_connection_that_ends_in_the_middle_is_trouble(upstream: Scripted) -> None:
    def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        request.transport.close()
        return web.Response()

    upstream.respond = cut
    assert await ask(upstream) == Trouble("incomplete")


async def test_a_boot_source_gets_no_key(upstream: Scripted) -> None:
    upstream.respond = says(200, BODY)
    assert await fetch_plain(f"{upstream.url}/boot/shop.json", limit=LIMIT, timeout_s=30) == Fetched(BODY, None)
    (request,) = upstream.requests
    assert request.path == "/boot/shop.json"
    assert "Authorization" not in request.headers


DOCUMENT: dict[str, Any] = {
    "flags": [{"id": 1, "key": "on", "active": True, "filters": {"groups": [{"properties": []}]}}],
    "service": {"tokens": ["phc_a"], "personal_keys": {"phx_canary": {}}},
}
SERVICE: list[tuple[dict[str, Any], str]] = [
    ({"tokens": ["phc_other"]}, "status_401"),
    ({"personal_keys": {}}, "status_401"),
    ({"personal_keys": {"phx_canary": {"scopes": ["insight:read"]}}}, "status_403"),
    ({"over_quota": ["feature_flags"]}, "status_402"),
]


async def test_the_service_of_the_contract_is_understood() -> None:
    async with _service(DOCUMENT) as server, Asking(server) as source:
        first = await source.fetch(token="phc_a", key=KEY, etag=None, timeout_s=30)
        assert isinstance(first, Fetched)
        assert [flag["key"] for flag in json.loads(first.body)["flags"]] == ["on"]
        assert await source.fetch(token="phc_a", key=KEY, etag=first.etag, timeout_s=30) == NotModified()
        other = await source.fetch(token="phc_a", key=KEY, etag='W/"other"', timeout_s=30)
        assert other == first


@pytest.mark.parametrize(("service", "why"), SERVICE)
async def test_the_refusals_of_the_contract_are_understood(service: dict[str, Any], why: str) -> None:
    document = DOCUMENT | {"service": DOCUMENT["service"] | service}
    async with _service(document) as server, Asking(server) as source:
        found = await source.fetch(token="phc_a", key=KEY, etag=None, timeout_s=30)
        assert isinstance(found, Trouble)
        assert found.why == why


def _service(document: dict[str, Any]) -> TestServer:
    return TestServer(build(load_catalogue(json.dumps(document).encode())))


class Asking:
    """A source for one server, closed at the end."""

    def __init__(self, server: TestServer) -> None:
        self._server = server

    async def __aenter__(self) -> HttpSource:
        self._source = HttpSource(Upstream(url=str(self._server.make_url("")).rstrip("/")))
        return self._source

    async def __aexit__(self, *_: object) -> None:
        await self._source.close()
