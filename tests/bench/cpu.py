"""What processes cost: CPU time and memory of a process and everything it started, read from /proc (Linux only).

CPU time is the figure that holds on a machine shared with others: it does not count waiting for a turn.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
NANOSECONDS = 1_000_000_000
PROC = Path("/proc")
SETTLE_S, SETTLE_TRIES = 0.7, 20


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Resident memory of one process; `pss_kb` counts a page shared by n processes as a n-th of it.

    `name` is the module that it runs (`python -m name`), else its command.
    """

    pid: int
    name: str
    rss_kb: int
    pss_kb: int


def cpu_s(root: int) -> float:
    """Return the user and system seconds of a process and its descendants, the children already reaped included."""
    return sum(_cpu_s(pid) for pid in tree(root))


def tree(root: int) -> list[int]:
    """Return a process and its descendants, the root first."""
    children: dict[int, list[int]] = defaultdict(list)
    for pid in _pids():
        if fields := _stat(pid):
            children[int(fields[1])].append(pid)
    found = [root]
    for pid in found:
        found.extend(sorted(children[pid]))
    return found


def memory(root: int) -> list[Memory]:
    """Return the memory of a process and of each of its descendants."""
    return [_memory(pid) for pid in tree(root)]


def idle_memory(root: int) -> list[Memory]:
    """Return the memory of a server that has finished starting: its processes and their sizes have stopped changing."""
    before, now = list[Memory](), memory(root)
    for _ in range(SETTLE_TRIES):
        if before == now:
            break
        time.sleep(SETTLE_S)  # there is no event to wait for: a server doesn't say that it imports no more
        before, now = now, memory(root)
    return now


def _cpu_s(pid: int) -> float:
    """Return one process's seconds: to the nanosecond from its threads, to the tick where some of them have ended."""
    ticks = [int(each) for each in _stat(pid)[11:15]]
    own, reaped = sum(ticks[:2]) / TICKS_PER_S, sum(ticks[2:]) / TICKS_PER_S
    try:
        threads = [int((task / "schedstat").read_text().split()[0]) for task in (PROC / str(pid) / "task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        threads = []
    return max(own, sum(threads) / NANOSECONDS) + reaped


def _memory(pid: int) -> Memory:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(pid=pid, name=_name(pid), rss_kb=sizes["Rss"], pss_kb=sizes["Pss"])


def _name(pid: int) -> str:
    words = (PROC / str(pid) / "cmdline").read_text().split("\0")
    return words[words.index("-m") + 1] if "-m" in words else words[0].rpartition("/")[2]


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _stat(pid: int) -> list[str]:
    """Return the fields of `stat` after the command name, or none for a process that is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
