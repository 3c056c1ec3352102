"""Log lines are JSON, name who wrote them, and cannot print what is not plain."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import structlog

from proxy.config.secret import Secret
from proxy.config.settings import Project
from proxy.telemetry import logs
from proxy.telemetry.sink import Sink, opened
from proxy.telemetry.traces.current import CURRENT, Trace

CANARY = "canary-4711"


class Kind(Enum):
    A = "a"


class Talkative(str):
    """A string that is not exactly one: it could be anything."""

    __slots__ = ()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[logs.Logger, Path]]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    path = tmp_path / "log"
    with path.open("wb") as file:
        yield logs.configure(role="tester", level="info", descriptor=file.fileno()), path
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("proxy").setLevel(logging.NOTSET)
    structlog.reset_defaults()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_names_event_level_role_and_pid(log: tuple[logs.Logger, Path]) -> None:
    log[0].warning("something", count=3)
    line = lines(log[1])[0]
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.items() >= {"level": "warning", "event": "something", "role": "tester", "pid": os.getpid(), "count": 3}.items()


def test_lines_below_the_level_are_not_written(log: tuple[logs.Logger, Path]) -> None:
    log[0].debug("quiet")
    assert lines(log[1]) == []


def test_a_line_below_a_traced_request_names_its_trace(log: tuple[logs.Logger, Path]) -> None:
    token = CURRENT.set(Trace("ab" * 16, "cd" * 8, None, 0.0))
    log[0].info("inside")
    CURRENT.reset(token)
    log[0].info("outside")
    inside, outside = lines(log[1])
    assert (inside["trace_id"], inside["span_id"]) == ("ab" * 16, "cd" * 8)
    assert "trace_id" not in outside


def test_the_level_can_be_changed_while_running(log: tuple[logs.Logger, Path]) -> None:
    logs.set_level("error")
    log[0].warning("quiet")
    logs.set_level("debug")
    log[0].debug("loud")
    logging.getLogger("aiohttp.server").info("libraries are heard from warning on")
    assert [line["event"] for line in lines(log[1])] == ["loud"]


@pytest.mark.parametrize(
    "value",
    [
        Secret(CANARY),
        [Secret(CANARY)],
        {"a": {"b": Secret(CANARY)}},
        {Secret(CANARY): 1},
        Talkative(CANARY),
        Project(tokens=(CANARY,)),
        CANARY.encode(),
        ValueError(CANARY),
        {CANARY},
    ],
)
def test_what_is_not_plain_shows_only_its_type(log: tuple[logs.Logger, Path], value: Any) -> None:
    log[0].info("something", value=value)
    assert CANARY not in log[1].read_text()
    assert lines(log[1])[0]["value"]


def test_plain_values_and_containers_of_them_are_written(log: tuple[logs.Logger, Path]) -> None:
    log[0].info("something", value={"a": [1, 2.5, None, True, "x", ("y",)], "k": Kind.A})
    assert lines(log[1])[0]["value"] == {"a": [1, 2.5, None, True, "x", ["y"]], "k": "a"}


def test_an_exception_is_told_by_type_and_frames_without_its_message(log: tuple[logs.Logger, Path]) -> None:
    try:
        raise ValueError(CANARY)  # noqa: TRY301  a frame of this file is what is looked for
    except ValueError as error:
        log[0].exception("failed")
        log[0].error("failed", exc_info=error)
    for line in lines(log[1]):
        assert line["error"] == "ValueError"
        assert line["frames"][-1].startswith("test_telemetry_logs.py:")
    assert CANARY not in log[1].read_text()


def test_library_lines_lose_their_arguments_and_all_but_the_first_line(log: tuple[logs.Logger, Path]) -> None:
    logging.getLogger("aiohttp.server").error("Error from %s", CANARY)
    logging.getLogger("asyncio").error(f"Task failed\nfuture: {CANARY}")  # noqa: G004  as asyncio does it
    assert [line["template"] for line in lines(log[1])] == ["Error from %s", "Task failed"]
    assert CANARY not in log[1].read_text()


async def test_the_event_loops_last_resort_does_not_print_what_failed(log: tuple[logs.Logger, Path]) -> None:
    loop = asyncio.get_running_loop()
    logs.watch_loop(loop, log[0])
    loop.call_exception_handler({"message": "gone wrong", "exception": ValueError(CANARY), "future": CANARY})
    loop.set_exception_handler(None)
    assert lines(log[1])[0].items() >= {"event": "loop_trouble", "what": "gone wrong", "error": "ValueError"}.items()
    assert CANARY not in log[1].read_text()


def test_a_reader_that_stops_reading_costs_lines_and_is_told_how_many() -> None:
    ours, theirs = os.pipe()
    sink = opened(theirs)
    for _ in range(3000):
        sink.line(b"x" * 99)  # a pipe holds 64 KiB: most of these have no room, and none may block
    assert sink.dropped > 0
    held = os.read(ours, 1 << 20)
    dropped = sink.dropped
    sink.line(b"room again")
    assert os.read(ours, 1 << 20).splitlines() == [
        b'{"level":"warning","event":"log_lines_dropped","count":%d}' % dropped,
        b"room again",
    ]
    assert held.count(b"\n") + dropped == 3000
    assert os.get_blocking(theirs)  # others share it
    sink.close()
    os.close(ours)
    os.close(theirs)


def test_a_reader_that_is_gone_costs_nothing_but_the_lines() -> None:
    ours, theirs = os.pipe()
    sink = opened(theirs)
    os.close(ours)
    sink.line(b"nobody")
    sink.close()
    os.close(theirs)


def test_a_descriptor_that_is_closed_swallows_everything() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    os.close(theirs)
    opened(theirs).line(b"nobody")


def test_a_socket_is_written_to_without_waiting() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = opened(theirs.fileno())
        for _ in range(20_000):
            sink.line(b"x" * 99)
        assert sink.dropped > 0
        assert ours.recv(100) == b"x" * 99 + b"\n"
        assert theirs.getblocking()
        sink.close()


def test_a_line_that_was_cut_is_finished_before_the_next_starts() -> None:
    written: list[bytes] = []
    room = [3, 0, 100, 100, 100]

    def write(content: bytes) -> int:
        taken = room.pop(0)
        if taken == 0:
            raise BlockingIOError
        written.append(content[:taken])
        return min(taken, len(content))

    sink = Sink(write)
    for line in (b"first", b"second", b"third"):
        sink.line(line)
    assert b"".join(written) == b'first\n{"level":"warning","event":"log_lines_dropped","count":1}\nthird\n'
