"""The way of a span from worker to supervisor: whole packets, never a wait, and a loss that is counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from proxy.telemetry.shipping.receiver import Receiver
from proxy.telemetry.traces.post import SocketPost, socket_path
from proxy.telemetry.traces.span import SERVER, Span, decode
from tests.wire.process.support.instance import until


def made(number: int, size: int = 0) -> Span:
    return Span("ab" * 16, f"{number:016x}", "", False, "", "POST /flags", SERVER, 1, 2, False, {"filling": "x" * size})


async def test_spans_arrive_whole_and_in_order(tmp_path: Path) -> None:
    taken: list[bytes] = []
    receiving = asyncio.create_task(Receiver(socket_path(str(tmp_path)), taken.append).run())
    await asyncio.sleep(0)
    first, second = SocketPost(socket_path(str(tmp_path))), SocketPost(socket_path(str(tmp_path)))
    for number in range(50):
        first.send(made(number))
    second.send(made(99, size=20_000))
    await until(lambda: len(taken) == 51, "every span")
    numbers = [int(decode(packet).span_id, 16) for packet in taken]
    assert [number for number in numbers if number != 99] == list(range(50))
    assert first.fates == {"sent": 50}
    first.close()
    second.send(made(100))
    receiving.cancel()
    await asyncio.wait([receiving])
    assert int(decode(taken[-1]).span_id, 16) == 100, "what had arrived is taken before it ends"
    second.close()


def test_where_nobody_listens_a_span_is_lost_and_counted(tmp_path: Path) -> None:
    post = SocketPost(socket_path(str(tmp_path)))
    post.send(made(1))
    assert post.fates == {"nobody": 1}


async def test_a_successor_is_found_again(tmp_path: Path) -> None:
    taken: list[bytes] = []
    post = SocketPost(socket_path(str(tmp_path)))
    for _ in range(2):
        receiving = asyncio.create_task(Receiver(socket_path(str(tmp_path)), taken.append).run())
        await asyncio.sleep(0)
        post.send(made(1))  # the second time, its first try meets the connection that is gone
        post.send(made(2))
        await until(lambda: taken, "a span")
        receiving.cancel()
        await asyncio.wait([receiving])
        assert int(decode(taken[-1]).span_id, 16) == 2
        taken.clear()
    post.close()


async def test_a_receiver_that_does_not_read_costs_spans_and_no_time(tmp_path: Path) -> None:
    receiving = asyncio.create_task(Receiver(socket_path(str(tmp_path)), lambda _: None).run())
    await asyncio.sleep(0)
    post = SocketPost(socket_path(str(tmp_path)))
    for number in range(2000):  # the loop does not turn meanwhile, so nobody reads
        post.send(made(number, size=1000))
    assert post.fates["no_room"] > 0
    assert post.fates["sent"] + post.fates["no_room"] == 2000
    post.close()
    receiving.cancel()
    await asyncio.wait([receiving])
