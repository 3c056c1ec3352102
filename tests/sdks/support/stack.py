"""The embedded flag service and the proxy, both as an operator starts them, on loopback and free ports."""

import json
import re
import sys
import urllib.request
from pathlib import Path

from .process import Child

CONFIG = """
[listen]
port = 0
[upstreams.default]
url = "{url}"
[breaker]
open_s = 0.2
open_max_s = 0.2
"""


class Service:
    """The flag service of `reference.service`; comes back on the port it had."""

    def __init__(self, definitions: Path):
        self.definitions = definitions
        self.port = 0
        self.start()

    def start(self):
        command = [sys.executable, "-m", "reference.service", "--test-face", "--definitions", str(self.definitions)]
        self.child = Child(
            [*command, "--port", str(self.port)], lambda line: re.search(r"listening on (http://[^ ]+:(\d+))", line)
        )
        self.url, self.port = self.child.ready[1], int(self.child.ready[2])

    def kill(self):
        self.child.kill()

    def events(self):
        """The events that arrived upstream, newest last."""
        with urllib.request.urlopen(f"{self.url}/_test/events", timeout=10) as answer:
            return json.load(answer)


class Proxy:
    """`flags-proxy serve` with a file of its own; `more` is further TOML, `secrets` further environment."""

    def __init__(self, upstream: str, folder: Path, *, more: str = "", secrets: dict[str, str] | None = None):
        config = folder / "holdfast.toml"
        config.write_text(CONFIG.format(url=upstream) + more)
        command = [sys.executable, "-m", "proxy", "serve", "--config", str(config)]
        self.child = Child(command, listening, {"HOLDFAST_PROCESS__RUNTIME_DIR": str(folder / "run"), **(secrets or {})})
        self.url = self.child.ready["address"]
        self.admin = self.child.ready.get("admin")

    def stop(self):
        return self.child.stop()


def listening(line):
    """Return the `listening` log line, None for every other line."""
    said = json.loads(line)
    return said if said.get("event") == "listening" else None
