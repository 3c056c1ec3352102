"""What processes cost: CPU time and memory of a process and everything it started, read from /proc (Linux only).

CPU time is the figure that holds on a machine shared with others: it does not count waiting for a turn.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Resident memory of one process; `pss_kb` counts a page shared by n processes as a n-th of it."""

    pid: int
    rss_kb: int
    pss_kb: int


def cpu_s(root: int) -> float:
    """Return the user and system seconds of a process and its descendants, the children already reaped included."""
    return sum(sum(int(ticks) for ticks in _stat(pid)[11:15]) for pid in tree(root)) / TICKS_PER_S


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


def _memory(pid: int) -> Memory:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(pid=pid, rss_kb=sizes["Rss"], pss_kb=sizes["Pss"])


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _stat(pid: int) -> list[str]:
    """Return the fields of `stat` after the command name, or none for a process that is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
