"""Ingestion and assets: what passes, what does not, and that bytes are bytes."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

import pytest

from proxy.config.settings import Passthrough
from tests.wire.edge.recorder import recorder, saying
from tests.wire.edge.rooms import PATIENCE_S, head, read_reply, rooms, settings_for

Run = Callable[..., None]

EVENT = gzip.compress(b'{"event":"x"}')
TWO_COOKIES = (
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nServer: envoy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    b"X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nAccess-Control-Allow-Origin: *\r\nContent-Encoding: gzip\r\nConnection: X-Hop, close\r\n"
    b"X-Hop: 1\r\nContent-Length: " + str(len(EVENT)).encode() + b"\r\n\r\n" + EVENT
)  # fmt: skip


@pytest.mark.parametrize(
    "target",
    ["/e/", "/e/?ip=1&_=2&ver=1", "/batch", "/i/v0/e/", "/s/?compression=gzip-js", "/capture/", "/api/surveys/?token=phc_a"],
)
def test_events_arrive_byte_for_byte(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.post(
                target, EVENT, "Content-Type: text/plain", "User-Agent: posthog-js/1", "Origin: https://app.example",
                "Content-Encoding: gzip", "Cookie: session=1", "baggage: a=1", "X-Forwarded-For: 6.6.6.6", "X-Custom: a",
                "X-Custom: b",
            )  # fmt: skip
            assert (reply.status, reply.body) == (200, b'{"status":"Ok"}')
            assert reply.value("access-control-allow-origin") == "https://app.example"
            (seen,) = upstream.seen
            assert (seen.method, seen.target, seen.body, seen.is_chunked) == ("POST", target, EVENT, False)
            assert seen.lines == [
                ("Host", f"127.0.0.1:{upstream.port}"),
                ("Content-Type", "text/plain"),
                ("User-Agent", "posthog-js/1"),
                ("Origin", "https://app.example"),
                ("Content-Encoding", "gzip"),
                ("X-Custom", "a"),
                ("X-Custom", "b"),
                ("X-Forwarded-For", "127.0.0.1"),
                ("Content-Length", str(len(EVENT))),
            ]

    run(scenario())


@pytest.mark.parametrize(
    "target",
    [
        "/", "/elsewhere", "/E/", "/api/users/@me", "/login", "/_readiness", "/_liveness", "/_startup", "/metrics",
        "/flags/stream", "/flagsx", "/static", "/api/projects/1", "/_holdfast/other",
    ],
)  # fmt: skip
def test_what_is_not_listed_is_an_empty_404_that_upstream_never_sees(run: Run, target: str) -> None:
    async def scenario() -> None:
        settings = Passthrough(asset_prefixes=("/static/files", "/array"))
        async with recorder() as upstream, rooms(settings_for(upstream.url, passthrough=settings)) as proxy:
            reply = await proxy.get(target, "Origin: https://app.example")
            assert (reply.status, reply.body) == (404, b"")
            assert reply.value("access-control-allow-origin") == "https://app.example"
            assert reply.value("vary") == "Origin"
            assert upstream.seen == []

    run(scenario())


@pytest.mark.parametrize(
    "target", ["//e/", "/e/../flags", "/static/..%2fflags", "/e/%2e%2e/x", "/e/%252e%252e", "/e/%00", "/e\\x", "/e/#x"]
)
@pytest.mark.parametrize("all_paths", [True, False])
def test_tricks_with_paths_go_nowhere(run: Run, target: str, all_paths: bool) -> None:
    async def scenario() -> None:
        settings = Passthrough(all=all_paths)
        async with recorder() as upstream, rooms(settings_for(upstream.url, passthrough=settings)) as proxy:
            assert (await proxy.get(target)).status == 400
            assert upstream.seen == []
            assert upstream.connections == 0

    run(scenario())


def test_where_a_request_goes_is_never_the_clients_to_say(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, recorder() as other, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get(f"{other.url}/e/?x=1", "X-Forwarded-Host: other.example")
            assert reply.status == 200
            assert [seen.target for seen in upstream.seen] == ["/e/?x=1"]
            assert upstream.seen[0].values("Host") == [f"127.0.0.1:{upstream.port}"]
            assert other.connections == 0

    run(scenario())


def test_a_path_prefix_of_a_self_hosted_upstream_is_put_in_front(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url + "/posthog/")) as proxy:
            await proxy.get("/e/?x=1")
            assert upstream.seen[0].target == "/posthog/e/?x=1"

    run(scenario())


def test_assets_go_to_their_own_host(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, recorder() as assets:
            async with rooms(settings_for(upstream.url, assets_url=assets.url)) as proxy:
                await proxy.get("/static/array.js")
                await proxy.get("/array/phc_a/config.js")
                await proxy.get("/e/")
            assert [seen.target for seen in assets.seen] == ["/static/array.js", "/array/phc_a/config.js"]
            assert [seen.target for seen in upstream.seen] == ["/e/"]

    run(scenario())


def test_everything_goes_through_when_asked_but_never_around_the_flag_endpoints(run: Run) -> None:
    async def scenario() -> None:
        settings = Passthrough(all=True)
        async with recorder() as upstream, rooms(settings_for(upstream.url, passthrough=settings)) as proxy:
            assert (await proxy.get("/login")).status == 200
            assert (await proxy.get("/fl%61gs/definitions?token=phc_a")).status == 400
            assert (await proxy.get("/%66lags")).status == 400
            assert (await proxy.get("/%61pi/projects/1/feature_flags/k/remote_config")).status == 400
            assert [seen.target for seen in upstream.seen] == ["/login"]

    run(scenario())


def test_nothing_goes_through_when_switched_off(run: Run) -> None:
    async def scenario() -> None:
        async with (
            recorder() as upstream,
            rooms(settings_for(upstream.url, passthrough=Passthrough(enabled=False, all=True))) as proxy,
        ):
            assert (await proxy.get("/e/")).status == 404
            assert upstream.connections == 0

    run(scenario())


def test_an_answer_keeps_its_lines_but_for_hops_cookies_and_cors(run: Run) -> None:
    async def scenario() -> None:
        async with recorder(saying(TWO_COOKIES, close=True)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get("/e/", "Origin: https://app.example")
            assert reply.body == EVENT
            assert [line for line in reply.lines if line[0].startswith("X-")] == [("X-A", "1"), ("X-B", "2"), ("X-A", "3")]
            assert reply.values("set-cookie") == reply.values("x-hop") == []
            assert reply.value("access-control-allow-origin") == "https://app.example"
            assert reply.value("content-encoding") == "gzip"
            assert reply.value("content-length") == str(len(EVENT))
            assert reply.value("date") == "Sun, 06 Nov 1994 08:49:37 GMT"
            assert reply.value("server") != "envoy"

    run(scenario())


def test_cookies_pass_when_allowed_and_then_upstreams_own_cors_stands(run: Run) -> None:
    async def scenario() -> None:
        settings = Passthrough(forward_cookies=True, forward_baggage=True)
        async with (
            recorder(saying(TWO_COOKIES, close=True)) as upstream,
            rooms(settings_for(upstream.url, passthrough=settings)) as proxy,
        ):
            reply = await proxy.get("/e/", "Origin: https://evil.example", "Cookie: session=1", "baggage: a=1")
            assert reply.values("set-cookie") == ["a=1", "b=2"]
            assert reply.values("access-control-allow-origin") == ["*"]
            assert reply.values("access-control-allow-credentials") == []
            assert upstream.seen[0].values("cookie") == ["session=1"]
            assert upstream.seen[0].values("baggage") == ["a=1"]

    run(scenario())


def test_a_preflight_is_answered_here_even_while_upstream_is_down(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream:
            url = upstream.url
        async with rooms(settings_for(url)) as proxy:
            for target in ("/e/", "/flags/?v=2", "/decide", "/flags/definitions", "*"):
                reply = await proxy.get(
                    target, "Origin: https://app.example", "Access-Control-Request-Method: POST",
                    "Access-Control-Request-Headers: content-type,x-a", method="OPTIONS",
                )  # fmt: skip
                assert (reply.status, reply.body) == (200, b"")
                assert reply.value("access-control-allow-origin") == "https://app.example"
                assert reply.value("access-control-allow-headers") == "content-type,x-a"

    run(scenario())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops",
    ],
)
def test_any_answer_of_upstream_is_handed_on(run: Run, raw: bytes) -> None:
    async def scenario() -> None:
        async with recorder(saying(raw)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get("/static/array.js", 'If-None-Match: "a"')
            assert reply.status == int(raw.split(b" ")[1])
            assert reply.body == raw.partition(b"\r\n\r\n")[2]
            for name in ("ETag", "Location", "Retry-After"):
                assert (reply.value(name) is not None) == (name.encode() in raw)

    run(scenario())


def test_head_keeps_the_length_of_what_it_stands_for(run: Run) -> None:
    async def scenario() -> None:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n"
        async with recorder(saying(raw)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get("/static/array.js", method="HEAD")
            assert reply.value("content-length") == "4711"
            assert upstream.seen[0].method == "HEAD"

    run(scenario())


def test_chunks_pass_both_ways_as_chunks(run: Run) -> None:
    async def scenario() -> None:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        async with recorder(saying(answer)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.ask(
                head("POST", "/e/", "Transfer-Encoding: chunked") + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
            )
            assert reply.body == b"abcde"
            assert reply.value("transfer-encoding") == "chunked"
            (seen,) = upstream.seen
            assert (seen.body, seen.is_chunked) == (b"hello!", True)
            assert seen.values("content-length") == []

    run(scenario())


def test_an_http_1_0_client_gets_its_answer_to_the_end_of_the_connection(run: Run) -> None:
    async def scenario() -> None:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        async with recorder(saying(answer)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.ask(b"GET /e/ HTTP/1.0\r\n\r\n")
            assert (reply.body, reply.values("transfer-encoding")) == (b"abc", [])

    run(scenario())


def test_a_client_that_expects_it_is_told_to_continue(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            async with asyncio.timeout(PATIENCE_S), proxy.dial() as (reader, writer):
                writer.write(head("POST", "/e/", "Content-Length: 5", "Expect: 100-continue"))
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(b"hello")
                assert (await read_reply(reader)).status == 200
            assert upstream.seen[0].body == b"hello"
            assert upstream.seen[0].values("expect") == []
            assert (await proxy.ask(head("POST", "/e/", "Content-Length: 5", "Expect: a-pony"))).status == 417
            assert len(upstream.seen) == 1

    run(scenario())
