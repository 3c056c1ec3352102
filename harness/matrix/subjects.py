"""The SDKs of the matrix, how an application with each is started, and the fingerprint of all that decides an outcome."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

import msgspec

from .trials import ON_DEFINITIONS, ON_FLAGS
from .world import document

HERE: Final = Path(__file__).resolve().parent
APPLICATIONS: Final = HERE / "applications"
SUBJECTS: Final = ("posthog-python@7.91.1", "posthog-node@5.70.0", "posthog-go@1.5.2")


class Unusable(Exception):  # noqa: N818 - a state of the machine, reported as exit code 3
    """An SDK that is not installed; the message says what to do about it."""


def command(subject: str, lanes: Path) -> tuple[str, ...]:
    """Return how to start the application.

    Args:
        subject: `<sdk>@<version>`.
        lanes: The folder with the installed SDK lanes.

    Raises:
        Unusable: it is not installed.
    """
    sdk, _, version = subject.partition("@")
    lane = lanes.resolve() / f"{sdk}-{version}"
    if not (lane / ".ready").is_file():
        raise Unusable(f"{subject} is not installed in {lanes}; run `python -m tools.sdks {subject}`")
    match sdk:
        case "posthog-python":
            return (str(lane / "bin" / "python"), "-I", str(APPLICATIONS / "posthog_python.py"))
        case "posthog-node":
            return (_node(subject), str(APPLICATIONS / "posthog_node.js"), str(lane))
        case _:
            return (str(lane / "application"),)


def fingerprint() -> str:
    """Return what changes when the matrix has to be played again."""
    digest = hashlib.sha256(msgspec.json.encode((SUBJECTS, ON_FLAGS, ON_DEFINITIONS)))
    for edition in (0, 1):
        digest.update(document(edition))
    for file in sorted(path for path in APPLICATIONS.rglob("*") if path.suffix in {".py", ".js", ".go"}):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _node(subject: str) -> str:
    node = shutil.which("node")
    if node is None:
        raise Unusable(f"{subject}: node is not on PATH")
    return node
