"""Go lanes: their programs, compiled against the modules that the lock's `go.mod` and `go.sum` name, and no others."""

from __future__ import annotations

import re
import shutil
from typing import Final

from tools.sdks.lanes import Lane, tool
from tools.sdks.process import run
from tools.sdks.unavailable import Unavailable

MINIMUM: Final = (1, 21)
"""The first that obeys GOTOOLCHAIN: without it Go may fetch another compiler than the one this machine has."""
_ENVIRONMENT: Final = {"GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def require() -> None:
    """Make sure of a Go compiler.

    Raises:
        Unavailable: there is none, or it is too old.
    """
    said = run([_go(), "env", "GOVERSION"], environment=_ENVIRONMENT).strip()
    if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) < MINIMUM:
        raise Unavailable(f"go {MINIMUM[0]}.{MINIMUM[1]} or newer is needed; this is {said}")


def install(lane: Lane) -> None:
    """Compile the programs into the lane.

    Raises:
        Unavailable: a module cannot be had, its hash differs from the lock's, or a program does not compile.
    """
    for name, folder in (("driver", lane.driver), ("application", lane.application)):
        assert folder is not None
        source = lane.home / "source" / name
        shutil.copytree(folder, source)
        for lock in ("go.mod", "go.sum"):
            shutil.copy(lane.lock / lock, source / lock)
        build = [_go(), "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", str(lane.home / name), "."]
        run(build, cwd=source, environment=_ENVIRONMENT)


def _go() -> str:
    found = tool("go")
    if found is None:
        raise Unavailable("go is not installed")
    return found
