"""Runs an installer's command to its end, bounded in time; what goes wrong is `Unavailable` with the tool's last words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .unavailable import Unavailable

TIMEOUT_S: Final = 600


def run(
    command: list[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S
) -> str:
    """Run a command; return what it wrote to standard output.

    Args:
        command: Program and arguments.
        cwd: Where it runs; None: here.
        environment: Variables on top of ours.
        timeout_s: Longest wait.

    Raises:
        Unavailable: it failed, or took longer than that.
    """
    name = Path(command[0]).name
    variables = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{name} took longer than {timeout_s:g} s") from late
    if done.returncode != 0:
        raise Unavailable(f"{name} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
