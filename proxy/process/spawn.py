"""Starting a member of the family: a fresh interpreter by exec, never a fork of one that has threads. Standard library only.

Its command line carries the family. SIGTERM, SIGINT and SIGHUP arrive blocked, so that none is lost, or deadly, before the
child has its handlers; the child calls `unblock_signals` when it has them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeAlias

from .family import Family

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ROOT: Final = str(Path(__file__).parents[2])
SignalHandler: TypeAlias = Callable[[int, FrameType | None], Any] | signal.Handlers


def spawn(module: str, family: Family, *arguments: str) -> int:
    """Start `python -m <module> <family> <arguments>`, from this very checkout, and return its pid."""
    for descriptor in family.descriptors:
        os.set_inheritable(descriptor, True)
    return os.posix_spawn(
        sys.executable, command(module, family, *arguments), _environment(), setsigmask=SIGNALS, setsigdef=SIGNALS
    )


def become(module: str, family: Family, *arguments: str) -> None:
    """Replace this process by `python -m <module> …`; same pid, and what it had imported is gone."""
    for descriptor in family.descriptors:
        os.set_inheritable(descriptor, True)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.execve(sys.executable, command(module, family, *arguments), _environment())  # noqa: S606  no shell is wanted


def command(module: str, family: Family, *arguments: str) -> list[str]:
    """Return the command line. `-P`: a folder called `proxy` in the working directory must not be taken for this one."""
    return [sys.executable, "-P", "-m", module, family.dumped(), *arguments]


def unblock_signals() -> None:
    """Let the signals in that were held back while there was nobody to handle them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _environment() -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": f"{_ROOT}{os.pathsep}{path}" if path else _ROOT}
