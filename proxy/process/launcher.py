"""The launcher: owns the listening sockets and the children, and nothing else, so that nothing else can break it.

It starts the workers and the supervisor, starts again whoever dies, passes SIGHUP on to the supervisor (reload) and SIGTERM
to all (drain, exit 0; a second one kills, exit 1). It never sees a request. Standard library only: about 10 MB, and no
import that could fail. Started a second time, by the supervisor of a launcher that was killed, it adopts the children that
the roster names.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from proxy.telemetry.sink import Sink, opened

from .children import SUPERVISOR, Slot, due, next_due_s, slots
from .family import Family, write_private
from .spawn import SIGNALS, spawn, unblock_signals
from .watch import Watched

LAUNCHER: Final = "launcher"
_MODULES: Final = {SUPERVISOR: "proxy.process.supervisor"}
_WORKER_MODULE: Final = "proxy.process.worker"
_POLL_S: Final = 0.25
_MARGIN_S: Final = 5.0
_FORCED: Final = 1
_ONE_WISH_S: Final = 0.5  # some senders (`timeout`, a terminal) reach the process and its group: that is one wish, not two


class Launcher:
    """One run, from the first start to the last exit."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._slots = slots(len(family.listeners))
        self._watched: dict[str, Watched] = {}
        self._selector = selectors.DefaultSelector()
        self._ears, self._mouth = socket.socketpair()
        self._stop_by: float | None = None
        self._told_at = 0.0
        self._is_forced = False

    def run(self) -> int:
        """Run until told to stop; return the exit code."""
        self._listen_to_signals()
        self._adopt()
        while not self._is_over():
            self._start_due()
            self._wait()
            self._bury()
        return self._leave()

    # --- children

    def _adopt(self) -> None:
        known = read_roster(self._family)
        for slot in self._slots:
            pid = known.get(slot.role)
            if pid and _is_family(pid, self._family):
                self._fill(slot, pid)
                log("adopted", child=slot.role, child_pid=pid)
        self._write_roster()

    def _start_due(self) -> None:
        if self._stop_by is not None:
            return
        for slot in due(self._slots, time.monotonic()):
            pid = spawn(_MODULES.get(slot.role, _WORKER_MODULE), self._family, *self._arguments(slot))
            self._fill(slot, pid)
            self._write_roster()
            log("started", child=slot.role, child_pid=pid)

    def _arguments(self, slot: Slot) -> tuple[str, ...]:
        index = slot.role.removeprefix("worker-") if slot.role != SUPERVISOR else ""
        return (str(os.getpid()), index) if index else (str(os.getpid()),)

    def _fill(self, slot: Slot, pid: int) -> None:
        slot.filled(pid, time.monotonic())
        watched = self._watched[slot.role] = Watched(pid)
        if watched.descriptor is not None:
            self._selector.register(watched.descriptor, selectors.EVENT_READ)

    def _bury(self) -> None:
        for slot in self._slots:
            if slot.pid is None or not self._watched[slot.role].has_ended():
                continue
            fate = {"child": slot.role, "child_pid": slot.pid, "exit_code": self._watched[slot.role].exit_code}
            self._forget(slot)
            pause = slot.emptied(time.monotonic(), longest_s=self._tunable("restart_backoff_s"), draw=random.random)
            self._write_roster()
            if self._stop_by is None:
                log("died", level="warning", **fate, restart_in_s=round(pause, 3))

    def _forget(self, slot: Slot) -> None:
        watched = self._watched.pop(slot.role)
        if watched.descriptor is not None:
            self._selector.unregister(watched.descriptor)
        watched.close()

    def _signal_children(self, number: int, *, only: str | None = None) -> None:
        for slot in self._slots:
            if slot.pid is not None and only in {None, slot.role}:
                try:
                    os.kill(slot.pid, number)
                except ProcessLookupError:
                    continue  # it has just died; the next look buries it

    # --- signals and waiting

    def _listen_to_signals(self) -> None:
        self._ears.setblocking(False)
        self._mouth.setblocking(False)
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        for number in (*SIGNALS, signal.SIGCHLD):
            signal.signal(number, _heard)
        self._selector.register(self._ears, selectors.EVENT_READ)
        unblock_signals()

    def _wait(self) -> None:
        self._selector.select(self._patience_s())
        for number in self._heard_signals():
            self._react(number)
        if self._stop_by is not None and not self._is_forced and time.monotonic() >= self._stop_by:
            log("drain_overdue", level="warning")
            self._force()

    def _patience_s(self) -> float | None:
        now = time.monotonic()
        limits = [
            None if self._stop_by is not None else next_due_s(self._slots, now),
            None if self._stop_by is None or self._is_forced else max(0.0, self._stop_by - now),
            _POLL_S if any(watched.descriptor is None for watched in self._watched.values()) else None,
        ]
        return min((limit for limit in limits if limit is not None), default=None)

    def _heard_signals(self) -> bytes:
        try:
            return self._ears.recv(256)
        except BlockingIOError:
            return b""

    def _react(self, number: int) -> None:
        match number:
            case signal.SIGHUP:
                self._signal_children(signal.SIGHUP, only=SUPERVISOR)
            case signal.SIGTERM | signal.SIGINT if self._stop_by is None:
                self._drain()
            case signal.SIGTERM | signal.SIGINT if time.monotonic() - self._told_at > _ONE_WISH_S:
                self._force()

    def _drain(self) -> None:
        log("draining")
        self._told_at = time.monotonic()
        self._stop_by = self._told_at + self._tunable("unready_s") + self._tunable("drain_s") + _MARGIN_S
        for descriptor in self._family.listeners:
            os.close(descriptor)
        self._signal_children(signal.SIGTERM)

    def _force(self) -> None:
        self._is_forced = True
        self._signal_children(signal.SIGKILL)

    # --- the end

    def _is_over(self) -> bool:
        return self._stop_by is not None and all(slot.pid is None for slot in self._slots)

    def _leave(self) -> int:
        if self._family.is_ephemeral:
            shutil.rmtree(self._family.runtime, ignore_errors=True)
        else:
            self._family.roster.unlink(missing_ok=True)
        log("stopped", is_forced=self._is_forced)
        return _FORCED if self._is_forced else 0

    # --- files

    def _write_roster(self) -> None:
        roster = {LAUNCHER: os.getpid()} | {slot.role: slot.pid for slot in self._slots if slot.pid is not None}
        try:
            write_private(self._family.roster, json.dumps(roster).encode())
        except OSError as error:
            # A full disk must not keep a dead worker dead; what is lost is adoption by a later launcher.
            log("roster_not_written", level="warning", reason=error.strerror)

    def _tunable(self, name: str) -> float:
        return float(_process_settings(self._family).get(name, _FALLBACKS[name]))


_FALLBACKS: Final[Mapping[str, float]] = {"restart_backoff_s": 2.0, "drain_s": 10.0, "unready_s": 0.0}


def read_roster(family: Family) -> dict[str, int]:
    """Return who was alive when the roster was last written; empty when there is none."""
    try:
        roster: dict[str, int] = json.loads(family.roster.read_bytes())
    except (OSError, ValueError):
        return {}
    return roster


def log(event: str, *, level: str = "info", **fields: Any) -> None:
    """Write one line of the same form as `proxy.telemetry.logs`, which is too big for this process."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    line = {"timestamp": stamp + "Z", "level": level, "event": event, "role": LAUNCHER, "pid": os.getpid(), **fields}
    _sink().line(json.dumps(line).encode())


@cache
def _sink() -> Sink:
    return opened(1)


def _process_settings(family: Family) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(family.config.read_bytes())["process"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def _is_family(pid: int, family: Family) -> bool:
    """Tell whether a pid is still the one in the roster: alive, and with our folder on its command line where that shows."""
    try:
        os.kill(pid, 0)
        return os.fsencode(family.runtime) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except OSError:
        return False


def _heard(_number: int, _frame: object) -> None:
    """Do nothing: the wake-up descriptor has the signal."""


if __name__ == "__main__":
    sys.exit(Launcher(Family.parsed(sys.argv[1])).run())
