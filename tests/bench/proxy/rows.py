"""What is compared: the servers of one run, each doing one kind of work, and how each is brought into its state.

echo and nginx are the bases; hit, relayed, stale and local are instances of the proxy, so that no row's memory, breaker or
connections are another's.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from proxy.definitions.document import definitions_set
from proxy.definitions.snapshot import keep
from tests.bench.children import LOOPBACK, Children, Server, Talker, stop

from . import nginx
from .bodies import TOKEN, USERS, definitions

CONFIG = """
[listen]
host = "{host}"
port = 0

[upstreams.default]
url = "http://{host}:{upstream}"

[projects.bench]
tokens = ["{token}"]

[policy]
fresh_s = {fresh_s}

[process]
workers = 1

[log]
level = "info"
"""
DEFINITIONS = """
[projects.bench.definitions]
key = {{file = "{folder}/key"}}
local_first = true

[definitions]
directory = "{folder}/sets"
"""
FRESH_S = 3_600


@dataclass(frozen=True, kw_only=True)
class Row:
    """One server under measurement.

    Attributes:
        label: What its `Cache-Status` must contain.
        mark: Its ceiling ÷ echo.
        stamped: Its requests have a `sent_at` of their own, as posthog-python's have; without, they repeat byte for byte.
    """

    name: str
    server: Server
    label: str = ""
    mark: float | None = None
    stamped: bool = True

    def load(self, generator: Talker, seconds: float) -> dict[str, Any]:
        """Let the generator load this server for a while."""
        return generator.ask(port=self.server.port, seconds=seconds, stamped=self.stamped)


def bases(children: Children, *, origin: int, core: int | None) -> tuple[list[Row], str]:
    """Start the echo and, where there is one, nginx; the text says why there is none."""
    echo = children.start(sys.executable, "-m", "tests.bench.proxy.echo", core=core)
    rows = [Row(name="echo", server=echo)]
    try:
        rows.append(Row(name="nginx hit", server=nginx.start(children, origin=origin, core=core), label="HIT", stamped=False))
    except nginx.NoNginxError as reason:
        return rows, f"No nginx row: {reason}."
    return rows, ""


def proxies(children: Children, *, origin: int, doomed: int, core: int | None) -> list[Row]:
    """Start the instances of the proxy; the stale one fronts the origin that is about to go."""
    hit = proxy(children, upstream=origin, fresh_s=FRESH_S, core=core)
    relayed = proxy(children, upstream=origin, fresh_s=0, core=core)
    stale = proxy(children, upstream=doomed, fresh_s=0, core=core)
    local = proxy(children, upstream=origin, fresh_s=0, core=core, definitions=definitions())
    return [
        Row(name="hit", server=hit, label="hit", mark=1.5),
        Row(name="relayed", server=relayed, label="fwd", mark=5.0),
        Row(name="stale", server=stale, label="hit"),
        Row(name="local", server=local, label="detail=local", mark=3.0),
    ]


def proxy(
    children: Children,
    *,
    upstream: int,
    fresh_s: int,
    core: int | None,
    definitions: bytes | None = None,
    more: str = "",
) -> Server:
    """Start one instance of the proxy as an operator would; with definitions on its disk it answers from them first."""
    folder = children.folder()
    config = folder / "proxy.toml"
    text = CONFIG.format(host=LOOPBACK, upstream=upstream, token=TOKEN, fresh_s=fresh_s) + more
    if definitions is not None:
        text += DEFINITIONS.format(folder=folder)
        (folder / "key").write_text("phx_bench")
        kept = definitions_set("bench", definitions, etag=None, fetched_at_wall=time.time(), generation=1)
        keep(folder / "sets", kept, generations=1)
    config.write_text(text)
    return children.start(sys.executable, "-m", "proxy", "serve", "--config", str(config), core=core)


def origin(children: Children, *, core: int | None) -> Server:
    """Start an upstream on the load generator's core: it must not take time from what is measured."""
    return children.start(sys.executable, "-m", "tests.bench.proxy.origin", core=core)


def warm(rows: list[Row], generator: Talker, *, doomed: Server) -> None:
    """Let every server see every user twice, then take the stale instance's upstream away and let its breaker open."""
    for row in rows:
        seen = 0
        while seen < 2 * USERS:
            seen += row.load(generator, 0.3)["requests"]
    stop(doomed.process)
    for row in rows:
        if row.name == "stale":
            row.load(generator, 1.0)
