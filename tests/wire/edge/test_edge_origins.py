"""Every answer carries this request's cross-origin lines, and never another's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.config.settings import Limits
from tests.wire.edge.recorder import recorder, saying
from tests.wire.edge.rooms import Caller, Reply, head, rooms, settings_for
from tests.wire.edge.service import PERSONAL_KEY, TOKEN, service

Run = Callable[..., None]

HERE, THERE = "https://here.example", "https://there.example"
ASKED = b'{"token":"%s","distinct_id":"someone","geoip_disable":true}' % TOKEN.encode()


def is_for(reply: Reply, origin: str | None) -> bool:
    return reply.value("access-control-allow-origin") == origin and "Origin" in (reply.value("vary") or "")


@pytest.mark.parametrize("origin", [HERE, "null", None])
def test_every_kind_of_answer_is_for_its_own_origin(run: Run, origin: str | None) -> None:
    lines = [f"Origin: {origin}"] if origin else []

    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url, limits=Limits(body_bytes=1000))) as proxy:
            definitions = f"/flags/definitions?token={TOKEN}"
            replies = {
                200: [
                    await proxy.post("/flags/?v=2", ASKED, *lines),
                    await proxy.get("/flags", *lines),
                    await proxy.get("/flags", *lines, method="HEAD"),
                    await proxy.get(definitions, f"Authorization: Bearer {PERSONAL_KEY}", *lines),
                    await proxy.get("/e/", *lines),
                    await proxy.get("/_holdfast/live", *lines),
                    await proxy.get("/flags", *lines, method="OPTIONS"),
                ],
                400: [await proxy.post("/flags/?v=2", b"{", *lines), await proxy.get("/e/../x", *lines)],
                401: [await proxy.post("/flags/?v=2", b"{}", *lines), await proxy.get(definitions, *lines)],
                404: [await proxy.get("/elsewhere", *lines)],
                405: [await proxy.get("/flags", *lines, method="PATCH")],
                413: [await proxy.post("/flags/?v=2", bytes(1001), *lines)],
                417: [await proxy.ask(head("POST", "/e/", "Expect: a-pony", "Content-Length: 1", *lines))],
                505: [await proxy.ask(head("GET", "/e/", *lines).replace(b"1.1", b"2.0"))],
            }
            for status, answers in replies.items():
                for number, reply in enumerate(answers):
                    assert (number, reply.status) == (number, status)
                    assert is_for(reply, origin), (status, number, reply.lines)

    run(scenario())


def test_an_outage_is_told_to_the_origin_that_asked(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream:
            url = upstream.url
        async with rooms(settings_for(url)) as proxy:
            for target in ("/flags/?v=2", "/e/"):
                reply = await proxy.post(target, ASKED, f"Origin: {HERE}")
                assert reply.status == 503
                assert is_for(reply, HERE)

    run(scenario())


def test_a_remembered_answer_is_given_with_the_lines_of_this_request(run: Run) -> None:
    async def scenario() -> None:
        async with service() as real, recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            port = int(real.url.rpartition(":")[2])
            body = (await Caller(port).post("/flags/?v=2", ASKED, f"Origin: {HERE}")).body
            first = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nAccess-Control-Allow-Origin: {HERE}\r\n"
            upstream.script = saying(f"{first}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert is_for(await proxy.post("/flags/?v=2", ASKED, f"Origin: {HERE}"), HERE)
            upstream.script = saying(b"", close=True)
            again = await proxy.post("/flags/?v=2", ASKED, f"Origin: {HERE}")
            assert again.status == 200
            assert is_for(again, HERE)
            # The origin is part of the key: there is nothing remembered for another one, least of all these lines.
            assert is_for(await proxy.post("/flags/?v=2", ASKED, f"Origin: {THERE}"), THERE)

    run(scenario())
