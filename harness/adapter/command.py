"""`flags-harness adapter`: an SDK behind PostHog's sdk-test-harness protocol, on this machine only unless told otherwise.

This process becomes the SDK's own interpreter, in isolated mode: the adapter's environment is the lane's and nothing of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import FIXED_ENVIRONMENT, UnusableSubject

USAGE, UNAVAILABLE = 2, 3
SERVED: Final = Path(__file__).resolve().parent
SDK: Final = "posthog-python"
_START: Final = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module('served', run_name='__main__', alter_sys=True)"
)
"""The folder comes last, so that no name in it hides a library's."""


def add(parser: argparse.ArgumentParser, lanes: Path) -> None:
    """Add the options of `adapter`."""
    parser.add_argument("--sdk", default=f"{SDK}@7.91.1", metavar="SDK@VERSION", help="an installed lane (default %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1: this machine only)")
    parser.add_argument("--port", type=_port, default=8080, help="0: any free one, printed (default 8080)")
    parser.add_argument("--lanes", type=Path, default=lanes, help="where the SDKs are installed (default .lanes)")


def perform(options: argparse.Namespace, become: Callable[[str, list[str], dict[str, str]], object] = os.execve) -> int:
    """Become the adapter; return an exit code only where that is impossible."""
    try:
        command = launch(options.sdk, options.lanes, options.host, options.port)
    except UnknownSubject as mistake:
        print(f"flags-harness: {mistake}", file=sys.stderr)  # noqa: T201 — the command's voice
        return USAGE
    except UnusableSubject as reason:
        print(f"flags-harness: {reason}", file=sys.stderr)  # noqa: T201 — the command's voice
        return UNAVAILABLE
    become(command[0], command, {**os.environ, **FIXED_ENVIRONMENT})
    return 0


def launch(name: str, lanes: Path, host: str, port: int) -> list[str]:
    """Return the adapter's command line.

    Raises:
        UnknownSubject: no adapter for such an SDK.
        UnusableSubject: the SDK is not installed.
    """
    if name.partition("@")[0] != SDK:
        raise UnknownSubject(f"no adapter for {name!r}; there is one for {SDK}@VERSION")
    interpreter = find(name, lanes).command[0]
    return [interpreter, "-I", "-c", _START, str(SERVED), host, f"{port}"]


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004 — sixteen bits
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return port
