"""A real Redis on a free port, with nothing on disk, that a test can kill, freeze, empty and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tools.servers.redis import Installed

PATIENCE_S = 20.0
LOOPBACK = "127.0.0.1"


class Server:
    """One `redis-server` (or `redis-sentinel`, with a configuration)."""

    def __init__(self, installed: Installed, *options: str, config: str | None = None) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="hf-redis-"))
        self._installed = installed
        self._options = options
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environ = os.environ | self._installed.environ
        common = ("--port", str(self.port), "--bind", LOOPBACK, "--dir", str(self.folder))
        if self._config is None:
            command = [str(self._installed.server), *common, "--save", "", "--appendonly", "no", *self._options]
        else:
            (self.folder / "sentinel.conf").write_text(self._config)
            command = [str(self._installed.sentinel), str(self.folder / "sentinel.conf"), *common, *self._options]
        self._process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                said = self.say("PING")
            except OSError:
                said = b""
            if said.startswith((b"+PONG", b"-NOAUTH")):
                return
            assert time.monotonic() < deadline, f"Redis did not start: {said!r}"
            time.sleep(0.01)

    def kill(self) -> None:
        """As `kill -9`."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def say(self, *words: str) -> bytes:
        """Send one command on a connection of its own; return the first of what comes back, raw."""
        with socket.create_connection((LOOPBACK, self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(b"*%d\r\n" % len(words))
            for word in words:
                connection.sendall(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()))
            return connection.recv(1 << 16)

    def size(self) -> int:
        """How many keys it holds."""
        return int(self.say("DBSIZE").strip().removeprefix(b":"))


def free_port() -> int:
    """A port that was free a moment ago, and whose cluster bus port (10 000 above) is one."""
    while True:
        with socket.create_server((LOOPBACK, 0)) as probe:
            port: int = probe.getsockname()[1]
        if port < 55_000:
            return port
