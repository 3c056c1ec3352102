"""One exchange on real sockets: framing, the pool, TLS and time."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import FlagsRequest
from proxy.config.settings import Upstream
from proxy.upstream.exchange import HttpTransport
from tests.fakes.clock import FakeClock
from tests.fakes.requests import flags_request
from tests.wire.proxy_line.house import parse

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Upstreams:
    """Counts connections and keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self._talks: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(parse(b"X 0\r\n" + head.split(b"\r\n", 1)[1]).headers.get("Content-Length", "0"))
                self.requests.append(head + await reader.readexactly(length))
                await self.answer(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def with_bytes(raw: bytes, *, then_close: bool = False) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        if then_close:
            writer.close()

    return answer


@asynccontextmanager
async def transport(
    answer: Answer, *, tls: ssl.SSLContext | None = None, clock: FakeClock | None = None, **settings: object
) -> AsyncIterator[tuple[HttpTransport, Upstreams]]:
    upstream = Upstreams(answer)
    server = await asyncio.start_server(upstream, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    url = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{port}"
    made = HttpTransport(Upstream(url=url, **settings), clock=clock or FakeClock())
    try:
        yield made, upstream
    finally:
        await made.close()
        server.close()
        await upstream.end()


def ask(**changes: Any) -> FlagsRequest:
    return flags_request(**{"deadline": FakeClock().now + 5, **changes})


async def test_a_connection_is_used_again_and_not_after_the_upstream_said_close() -> None:
    async with transport(with_bytes(OK)) as (made, upstream):
        for _ in range(3):
            assert isinstance(await made.exchange(ask()), Whole)
        assert upstream.connections == 1
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    async with transport(with_bytes(closing)) as (made, upstream):
        for _ in range(2):
            assert isinstance(await made.exchange(ask()), Whole)
        assert upstream.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
async def test_every_framing_is_understood_and_leaves_the_connection_usable(raw: bytes) -> None:
    async with transport(with_bytes(raw)) as (made, upstream):
        for _ in range(2):
            answer = await made.exchange(ask())
            assert isinstance(answer, Whole)
            assert (answer.status, answer.body) == (200, b"{}")
        assert upstream.connections == 1


@pytest.mark.parametrize("raw", [b"HTTP/1.0 200 OK\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\n{}"])
async def test_an_answer_may_end_with_its_connection(raw: bytes) -> None:
    async with transport(with_bytes(raw, then_close=True)) as (made, upstream):
        for _ in range(2):
            answer = await made.exchange(ask())
            assert isinstance(answer, Whole)
            assert answer.body == b"{}"
        assert upstream.connections == 2


async def test_what_follows_an_answer_unasked_is_never_taken_for_the_next_one() -> None:
    async with transport(with_bytes(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother")) as (made, upstream):
        for _ in range(3):
            answer = await made.exchange(ask())
            assert isinstance(answer, Failure) or answer.body == b"{}"
        assert upstream.connections >= 2


async def test_a_head_answer_has_no_body_whatever_its_length_says() -> None:
    async with transport(with_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")) as (made, upstream):
        for _ in range(2):
            answer = await made.exchange(ask(method="HEAD", body=b""))
            assert isinstance(answer, Whole)
            assert answer.body == b""
        assert upstream.connections == 1
        assert b"ontent-Length" not in upstream.requests[0]


async def test_an_empty_post_says_so() -> None:
    async with transport(with_bytes(OK)) as (made, upstream):
        await made.exchange(ask(body=b""))
        assert b"\r\nContent-Length: 0\r\n" in upstream.requests[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_is_ever_sent_twice_by_the_library(method: str) -> None:
    async def swallow(_: bytes, writer: asyncio.StreamWriter) -> None:
        if len(upstream.requests) > 1:
            writer.transport.abort()
        else:
            writer.write(OK)

    async with transport(swallow) as (made, upstream):
        assert isinstance(await made.exchange(ask(method=method)), Whole)
        assert isinstance(await made.exchange(ask(method=method)), Failure)
        assert len(upstream.requests) == 2


async def test_a_deadline_that_has_passed_asks_nobody() -> None:
    async with transport(with_bytes(OK)) as (made, upstream):
        late = await made.exchange(ask(deadline=FakeClock().now))
        assert late == Failure(trouble=Trouble.TIMEOUT, no_byte_received=True)
        assert upstream.connections == 0


async def test_a_cut_exchange_never_leaves_its_connection_to_the_next() -> None:
    arrived = asyncio.Event()

    async def slow(_: bytes, writer: asyncio.StreamWriter) -> None:
        if len(upstream.requests) == 1:
            arrived.set()
            await asyncio.sleep(3600)
        writer.write(OK)

    async with transport(slow, connections=1) as (made, upstream):
        task = asyncio.create_task(made.exchange(ask()))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await made.exchange(ask()), Whole)
        assert upstream.connections == 2


async def test_an_unreachable_name_is_told_from_a_refused_connection() -> None:
    for url, trouble in (("http://nowhere.invalid", Trouble.DNS), ("http://127.0.0.1:1", Trouble.REFUSED)):
        made = HttpTransport(Upstream(url=url), clock=FakeClock())
        answer = await made.exchange(ask())
        assert answer == Failure(trouble=trouble, no_byte_received=True)
        await made.close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    options = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([openssl, *options, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


async def test_certificates_are_verified_and_a_private_authority_can_be_named(certificate: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    async with transport(with_bytes(OK), tls=context) as (made, upstream):
        assert await made.exchange(ask()) == Failure(trouble=Trouble.TLS, no_byte_received=True)
        assert upstream.requests == []
    async with transport(with_bytes(OK), tls=context, ca_file=str(certificate[0])) as (made, upstream):
        for _ in range(2):
            assert isinstance(await made.exchange(ask()), Whole)
        assert upstream.connections == 1


async def test_a_connection_that_comes_in_the_instant_the_time_is_up_is_not_waited_on() -> None:
    rang, loop = asyncio.Event(), asyncio.get_running_loop()

    async with transport(with_bytes(OK)) as (made, upstream):
        connect = made._connect

        async def connect_too_late(left_s: float) -> Any:
            connection = await connect(1)
            loop.call_later(left_s, rang.set)  # set after the exchange's own timer, which was there first
            await rang.wait()
            return connection

        made._connect = connect_too_late
        late = await made.exchange(ask(deadline=FakeClock().now + 0.01))
        assert late == Failure(trouble=Trouble.TIMEOUT, no_byte_received=True)
        assert upstream.requests == []
