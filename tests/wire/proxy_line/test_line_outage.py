"""An outage as callers see it: the same answers, labelled; and fresh ones again afterwards. On real sockets."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from proxy.config.settings import Breaker, Policy
from tests.wire.proxy_line.house import TOKEN, House, parse, send

ADA = {"token": TOKEN, "distinct_id": "ada"}
GOOD = b'{"errorsWhileComputingFlags":false,"flags":{"on":{"key":"on","enabled":true,"variant":null}},"requestId":"r"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def whole(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"Content-Length: %d" % len(body)])
    return head + b"\r\n\r\n" + body


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request; b"" when the connection ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = parse(b"X 0\r\n" + head.split(b"\r\n", 1)[1]).headers.get("Content-Length", "0")
    return head + await reader.readexactly(int(length))


class Fickle:
    """An upstream that answers well until it is told to do something else with each connection."""

    def __init__(self) -> None:
        self.fault: Behaviour | None = None
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await read_request(reader):
                self.requests += 1
                if self.fault is not None:
                    await self.fault(reader, writer)
                    return
                writer.write(whole(GOOD, b"Content-Type: application/json"))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def says(raw: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return behave


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 1000\r\n\r\n{")
    await reader.read()


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "resets": (resets, "connection_reset"),
    "closes without an answer": (closes, "connection_reset"),
    "hangs": (hangs, "timeout"),
    "drips": (drips, "timeout"),
    "cuts the body": (says(OK + b"Content-Length: 1000\r\n\r\n{"), "incomplete"),
    "cuts a chunked body": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"), "incomplete"),
    "garbage": (says(b"garbage\r\n\r\n"), "malformed"),
    "a bad chunk": (says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed"),
    "HTML with 200": (says(whole(b"<html>busy</html>", b"Content-Type: text/html")), "malformed"),
    "nothing with 200": (says(whole(b"")), "malformed"),
    "bad gzip": (says(whole(b"\x1f\x8bgarbage", b"Content-Encoding: gzip")), "malformed"),
    "cut gzip": (says(whole(gzip.compress(GOOD)[:-9], b"Content-Encoding: gzip")), "malformed"),
    "too much": (says(OK + b"Content-Length: 900000\r\n\r\n" + b" " * 900_000), "too_large"),
    "500": (says(whole(b"boom", status=b"500 Oops")), "status"),
    "502": (says(whole(b"<html>", status=b"502 Bad Gateway")), "status"),
    "503": (says(whole(b"busy", status=b"503 Busy")), "status"),
    "429": (says(whole(b"{}", status=b"429 Slow Down")), "rate_limited"),
    "a redirect": (says(whole(b"", b"Location: http://elsewhere.example/", status=b"302 Found")), "malformed"),
}


async def test_a_killed_service_leaves_the_same_answers_labelled_and_a_revived_one_fresh_ones() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port, breaker=Breaker(consecutive=100, minimum_calls=100))
        before = await send(proxy.port, ADA)
        await service.kill()
        house.clock.advance(42)
        during = await send(proxy.port, ADA)
        assert during.json() == before.json() | {"errorsWhileComputingFlags": True}
        assert during.cache == "holdfast; fwd=stale; ttl=-42; detail=stale"
        assert during.headers["Age"] == "42"
        assert during.headers["Proxy-Status"] == 'holdfast; error=connection_refused; details="connection_refused"'
        revived = await house.service(port=service.port)
        after = await send(proxy.port, ADA)
        assert after.essence == before.essence
        assert after.cache == "holdfast; fwd=stale; fwd-status=200; stored"
        assert len(await revived.calls()) == 1


async def test_in_an_outage_a_stranger_gets_a_503_at_once_that_sdks_take_as_final() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        await service.kill()
        reply = await send(proxy.port, ADA)
        assert reply.status == 503
        assert reply.json()["code"] == "service_unavailable"
        assert reply.headers["Retry-After"] == "1"
        assert reply.cache == "holdfast; fwd=miss; detail=none"


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_a_fault_is_answered_from_memory_and_named(name: str) -> None:
    fault, word = FAULTS[name]
    async with House() as house:
        fickle = Fickle()
        proxy = await house.proxy(
            await house.raw(fickle), policy=Policy(deadline_s=0.25, exchange_s=0.25), upstream={"response_bytes": 500_000}
        )
        good = await send(proxy.port, ADA)
        fickle.fault = fault
        bad = await send(proxy.port, ADA)
        assert bad.json() == good.json() | {"errorsWhileComputingFlags": True}
        assert "detail=stale" in bad.cache
        assert f'details="{word}"' in bad.headers["Proxy-Status"]
        stranger = await send(proxy.port, ADA | {"distinct_id": "bob"})
        assert stranger.status in {429, 500, 503}
        assert "Location" not in stranger.headers
        fickle.fault = None
        assert (await send(proxy.port, ADA)).essence == good.essence


async def test_many_failures_trip_the_breaker_and_one_probe_closes_it() -> None:
    async with House() as house:
        fickle = Fickle()
        proxy = await house.proxy(await house.raw(fickle), breaker=Breaker(consecutive=3, open_s=2, probes=1, ramp_s=0))
        await send(proxy.port, ADA)
        fickle.fault = says(whole(b"busy", status=b"503 Busy"))
        for _ in range(3):
            await send(proxy.port, ADA)
        reached = fickle.requests
        stale = await send(proxy.port, ADA)
        assert stale.cache == "holdfast; hit; ttl=0; detail=stale"
        assert 'details="breaker_open"' in stale.headers["Proxy-Status"]
        refused = await send(proxy.port, ADA | {"distinct_id": "bob"})
        assert refused.status == 503
        assert 1 <= int(refused.headers["Retry-After"]) <= 2
        assert fickle.requests == reached, "an open breaker asks nobody"
        house.clock.advance(2)
        fickle.fault = None
        answers = await asyncio.gather(*(send(proxy.port, ADA | {"distinct_id": str(n)}) for n in range(10)))
        assert {answer.status for answer in answers} <= {200, 503}
        assert fickle.requests >= reached + 1
        assert (await send(proxy.port, ADA)).cache.startswith("holdfast; fwd=stale; fwd-status=200")


async def test_a_dead_pooled_connection_is_not_the_callers_problem() -> None:
    async with House() as house:
        answered: list[asyncio.StreamWriter] = []

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Answer one request; swallow the next on the same connection and close, as a restarted load balancer does."""
            if await read_request(reader):
                writer.write(whole(GOOD))
                answered.append(writer)
                await read_request(reader)
            writer.close()

        proxy = await house.proxy(await house.raw(once))
        for user in ("a", "b"):
            reply = await send(proxy.port, ADA | {"distinct_id": user})
            assert (reply.status, reply.cache) == (200, "holdfast; fwd=miss; fwd-status=200; stored")
        assert len(answered) == 2


async def test_a_gzipped_answer_of_an_upstream_that_was_asked_not_to_is_unzipped() -> None:
    async with House() as house:
        zipped = whole(gzip.compress(GOOD), b"Content-Type: application/json", b"Content-Encoding: gzip", b"X-Kept: 1")

        async def zipping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert b"Accept-Encoding: identity\r\n" in await read_request(reader)
            writer.write(zipped)
            writer.close()

        proxy = await house.proxy(await house.raw(zipping), policy=Policy(fresh_s=60))
        for _ in range(2):
            reply = await send(proxy.port, ADA, headers=(("Accept-Encoding", "gzip"), ("Content-Type", "application/json")))
            assert reply.body == GOOD
            assert "Content-Encoding" not in reply.headers
        assert "X-Kept" not in reply.headers, "headers are not remembered"


async def test_a_caller_that_goes_away_takes_no_other_callers_answer_with_it() -> None:
    async with House() as house:
        arrived, land = asyncio.Event(), asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            arrived.set()
            await land.wait()
            writer.write(whole(GOOD))
            writer.close()

        proxy = await house.proxy(await house.raw(slow))
        leader = asyncio.create_task(send(proxy.port, ADA))
        await arrived.wait()
        followers = [asyncio.create_task(send(proxy.port, ADA)) for _ in range(3)]
        while proxy.line.flight.joined < 3:  # noqa: ASYNC110 - a condition awaited, within the test's own time limit
            await asyncio.sleep(0.001)
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        land.set()
        answers = await asyncio.gather(*followers)
        assert {answer.body for answer in answers} == {GOOD}
        assert {answer.cache for answer in answers} == {"holdfast; fwd=miss; fwd-status=200; stored; collapsed"}


async def test_a_preflight_is_answered_while_upstream_is_down() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        await service.kill()
        headers = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST"))
        reply = await send(proxy.port, method="OPTIONS", headers=headers)
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["Access-Control-Allow-Origin"] == "https://a.example"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_other_methods_get_a_503_in_an_outage(method: str) -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        await service.kill()
        reply = await send(proxy.port, method=method)
        assert (reply.status, reply.cache) == (503, "holdfast; fwd=method; detail=none")
        assert (reply.body == b"") == (method == "HEAD")


async def test_every_answer_carries_the_callers_own_origin() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        headers = (("Origin", "https://a.example"), ("Content-Type", "application/json"))
        replies = [await send(proxy.port, ADA, headers=headers)]
        await service.kill()
        replies.append(await send(proxy.port, ADA, headers=headers))
        replies.append(await send(proxy.port, ADA | {"distinct_id": "bob"}, headers=headers))
        for reply in replies:
            assert reply.headers.getall("Access-Control-Allow-Origin") == ["https://a.example"]
            assert "Cache-Status" in reply.headers["Access-Control-Expose-Headers"]
