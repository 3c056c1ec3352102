"""One worker's line in one process, watched or not: `python -m tests.bench.telemetry.worker (bare|watched) PORT FOLDER`.

`bare` has a watch that does nothing in the place of the real one: what an answer would cost without any observability.
`watched` is the worker as it runs: counting in shared memory, collecting once a second, 1 % traces sent to the socket in the
folder. The port is the upstream's.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvloop

from proxy.clock import SystemClock
from proxy.config.settings import Policy, Project, Settings, Telemetry, Upstream
from proxy.edge.server import EdgeServer
from proxy.telemetry import logs
from proxy.telemetry.access import Access
from proxy.telemetry.metrics.collecting import Collecting
from proxy.telemetry.metrics.slate import Ground, make_ground
from proxy.telemetry.metrics.worker_rows import worker_rows
from proxy.telemetry.traces.post import SocketPost, socket_path
from proxy.worker import build
from tests.bench.lines import say
from tests.bench.proxy.bodies import TOKEN


class Blind:
    """A watch that sees nothing."""

    tracer = access = None

    def begin(self, *_: object, **__: object) -> None:
        """Trace nothing."""

    def abandoned(self) -> None:
        """Forget nothing."""

    def answered(self, *_: object) -> None:
        """Count nothing."""


async def serve(mode: str, upstream: int, spans: str) -> None:
    """Answer on a free port of loopback until the process is ended."""
    clock, log = SystemClock(), logs.configure(role="bench", descriptor=2)
    settings = Settings(
        upstreams={"default": Upstream(url=f"http://127.0.0.1:{upstream}")},
        projects={"bench": Project(tokens=(TOKEN,))},
        policy=Policy(fresh_s=3_600),
        telemetry=Telemetry(otlp_url="http://127.0.0.1:9"),
    )
    slate = Ground(make_ground(1)).claim(0)
    line = build(settings, clock=clock, slate=slate, post=SocketPost(socket_path(spans)))
    edge = EdgeServer(line.app, limits=settings.limits)
    collecting = Collecting(slate, worker_rows(line, edge) if mode == "watched" else (), clock=clock, log=log)
    if mode == "watched":
        line.watch.access = Access(ratio=0.0, clock=clock, log=log)
    else:
        blind: Any = Blind()
        line._flags._watch = blind
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await edge.start([sock])
    say({"event": "listening", "port": sock.getsockname()[1]})
    await collecting.run()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
