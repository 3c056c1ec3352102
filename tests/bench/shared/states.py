"""The rows: an instance without Redis, and one for each state that a Redis can be in, each with a Redis of its own."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.children import LOOPBACK, Children, Server, Talker, pin
from tests.bench.proxy.bodies import TOKEN, USERS
from tests.bench.proxy.rows import FRESH_S, proxy
from tests.fleet.support.server import Server as Redis
from tools.servers.redis import Installed

MARK = 1.15
STRANGERS = 20
"""Users that nobody has seen, asked for in each slice: each is an answer to be written."""

SHARED = """
[redis]
addresses = ["{host}:{port}"]
secret = {{file = "{folder}/shared"}}
"""


@dataclass(kw_only=True)
class Row:
    """One instance, and what happens to its Redis before each slice."""

    name: str
    server: Server
    before_slice: Callable[[], None] = lambda: None
    strike: Callable[[], None] = lambda: None
    strangers: int = field(default=0)

    def greet_strangers(self) -> None:
        """Ask for users that nobody has seen."""
        for _ in range(STRANGERS):
            self.strangers += 1
            body = json.dumps({"token": TOKEN, "distinct_id": f"stranger-{self.strangers}"}).encode()
            where, kind = f"http://{LOOPBACK}:{self.server.port}/flags/?v=2", {"Content-Type": "application/json"}
            request = urllib.request.Request(where, body, kind)
            with urllib.request.urlopen(request) as answer:
                answer.read()


def rows(children: Children, installed: Installed, *, origin: int, near: int | None, far: int | None) -> list[Row]:
    """Start every instance and its Redis; all Redis are there at first."""

    def redis() -> Redis:
        found = children.stack.enter_context(Redis(installed))
        pin(found.pid, far)
        return found

    def instance(port: int) -> Server:
        folder = children.folder()
        (folder / "shared").write_text("s" * 40)
        more = SHARED.format(host=LOOPBACK, port=port, folder=folder)
        return proxy(children, upstream=origin, fresh_s=FRESH_S, core=near, more=more)

    well, killed, frozen, flushed, behind = (redis() for _ in range(5))
    relay = children.talker(sys.executable, "-m", "tests.bench.shared.slow", str(behind.port), core=far)
    return [
        Row(name="without Redis", server=proxy(children, upstream=origin, fresh_s=FRESH_S, core=near)),
        Row(name="Redis there", server=instance(well.port)),
        Row(name="killed", server=instance(killed.port), strike=killed.kill),
        Row(name="frozen", server=instance(frozen.port), strike=frozen.freeze),
        Row(name="flushed before each slice", server=instance(flushed.port), before_slice=lambda: _flush(flushed)),
        Row(name="slow by 0.4 s", server=instance(relay.hear()["port"]), strike=lambda: _slow(relay)),
    ]


def warm(found: list[Row], generator: Talker) -> None:
    """Let every instance see every user twice, then let happen what happens to its Redis."""
    for row in found:
        seen = 0
        while seen < 2 * USERS:
            seen += generator.ask(port=row.server.port, seconds=0.3, stamped=True)["requests"]
    for row in found:
        row.strike()
        row.greet_strangers()


def _flush(redis: Redis) -> None:
    redis.say("FLUSHALL")


def _slow(relay: Talker) -> None:
    relay.ask()
