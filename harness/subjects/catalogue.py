"""The subjects by name, and how each is started.

`reference` is our own evaluator; `service` is the embedded flag service, over HTTP. An SDK is `<sdk>@<version>` and runs from
the lane that `python -m tools.sdks` installed. A subject that is not there is an `UnusableSubject` with the remedy, never a
silent skip.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .child import Launch, UnusableSubject

DRIVERS: Final = Path(__file__).resolve().parent / "drivers"
NODE_HEAP_MIB: Final = 512


def find(name: str, lanes: Path) -> Launch:
    """Return how to start the subject.

    Args:
        name: `reference`, `service` or `<sdk>@<version>`.
        lanes: The folder with the installed SDK lanes.

    Raises:
        UnknownSubject: no such kind of subject.
        UnusableSubject: the SDK, or what runs it, is not installed.
    """
    if name == "reference":
        return Launch(name=name, command=(sys.executable, "-m", "reference", "jsonlines"))
    if name == "service":
        return Launch(name=name, command=(sys.executable, str(DRIVERS / "flag_service.py")))
    sdk, _, version = name.partition("@")
    if sdk not in _STARTERS or not version:
        raise UnknownSubject(
            f"unknown subject {name!r}; there are reference, service, {', '.join(f'{sdk}@VERSION' for sdk in _STARTERS)}"
        )
    lane = lanes.resolve() / f"{sdk}-{version}"
    if not (lane / ".ready").is_file():
        raise UnusableSubject(name, f"not installed in {lanes}; run `python -m tools.sdks {name}`")
    return Launch(name=name, command=_STARTERS[sdk](name, lane))


class UnknownSubject(Exception):  # noqa: N818 — the caller's mistake, reported as exit code 2
    """A name that no subject has."""


def _python(_: str, lane: Path) -> tuple[str, ...]:
    return (str(lane / "bin" / "python"), "-I", str(DRIVERS / "posthog_python.py"))


def _node(name: str, lane: Path) -> tuple[str, ...]:
    node = shutil.which("node")
    if node is None:
        raise UnusableSubject(name, "node is not on PATH")
    return (node, f"--max-old-space-size={NODE_HEAP_MIB}", str(DRIVERS / "posthog_node.js"), str(lane))


_STARTERS: Final[dict[str, Callable[[str, Path], tuple[str, ...]]]] = {"posthog-python": _python, "posthog-node": _node}
