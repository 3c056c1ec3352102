"""The processes that a benchmark starts: each on a core of its own choice, all of them stopped whatever happens.

A server says where it listens by a JSON line with `"event": "listening"` and its port or address on standard output, as
`flags-proxy serve` does; nothing here waits by sleeping and hoping.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0
STOP_S = 10.0
LOOPBACK = "127.0.0.1"
PROBES = 300
"""Pieces of work that tell how calm a core is: about a second."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: its process, its port on loopback, and a way to stop it before the end."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass(kw_only=True)
class Children:
    """Starts servers and stops them all when left."""

    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def folder(self) -> Path:
        """Return a fresh temporary folder that goes away at the end."""
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-")))

    def start(self, *command: str, core: int | None, port: int | None = None) -> Server:
        """Start a server and return once it listens; with `port` given it is asked by connecting, else it tells its own."""
        output = self.folder() / "output"
        with output.open("wb") as sink:
            process = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True)
        self.stack.callback(stop, process)
        pin(process.pid, core)
        ready = (lambda: port if accepts(port) else None) if port else (lambda: announced(output))
        return Server(process=process, port=_wait(process, ready, output))

    def talker(self, *command: str, core: int | None) -> Talker:
        """Start a child that answers each JSON line with one JSON line."""
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
        )
        self.stack.callback(stop, process)
        pin(process.pid, core)
        return Talker(process)


@dataclass(frozen=True)
class Talker:
    """A child spoken to in JSON lines over its standard input and output."""

    process: subprocess.Popen[str]

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send one question and return its answer; a child that died is an error."""
        assert self.process.stdin is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return what it says next; a child that died is an error."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the child ended with code {self.process.wait()}; its own words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def cores() -> tuple[int | None, int | None]:
    """Return a core for the servers and another for everything that drives them; no pinning where there is only one.

    The servers get the calmer one: on a shared host others' work can make one core half as fast for minutes.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        return (None, None)
    calmest = sorted(usable, key=_unrest)
    os.sched_setaffinity(0, set(usable))
    return calmest[0], calmest[1]


def _unrest(core: int) -> float:
    """Return the median time that a fixed piece of work takes on a core."""
    pin(0, core)
    return statistics.median(_work() for _ in range(PROBES))


def _work() -> float:
    started = time.process_time()
    kept: dict[int, str] = {}
    for n in range(20_000):
        kept[n & 1023] = str(n)
    return time.process_time() - started


def pin(pid: int, core: int | None) -> None:
    """Keep a process, and what it will start, on one core."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def free_port() -> int:
    """Return a port that was free a moment ago, for servers that cannot choose and tell one themselves."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Tell whether something listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def announced(output: Path) -> int | None:
    """Return the port of the first `listening` line, from `port` or from the end of `address`."""
    for line in output.read_text(errors="replace").splitlines():
        if line.startswith("{") and "listening" in line:
            record = json.loads(line)
            if record.get("event") == "listening":
                return int(record.get("port") or record["address"].rpartition(":")[2])
    return None


def stop(process: subprocess.Popen[Any]) -> None:
    """Ask a child to end, and kill its whole group when it doesn't."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], int | None], output: Path) -> int:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if port := ready():
            return port
        time.sleep(0.02)  # a file and a port have nothing to await; the deadline above bounds it
    raise RuntimeError(f"a server did not get ready; it said:\n{output.read_text(errors='replace')[-2000:]}")
