"""Installs one lane, completely or not at all, once however many processes ask at the same time.

What this machine cannot have (no node, no compiler, no Chromium and no way to get it) is `Unavailable` with the reason; what
should have worked and did not (a registry that fails, a hash that differs) is too, with the installer's last words.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .chromium import find_or_install
from .compiled import go, jvm, rust
from .lanes import LANES, STAMP, Kind, Lane, fingerprint, is_current
from .process import run
from .unavailable import Unavailable

# Node 20.20 is what posthog-node 5.70 asks for.
NODE_MINIMUM: Final = (20, 20)


def ensure(lane: Lane) -> Path:
    """Install the lane if it is missing or its lock changed; return its folder.

    Raises:
        Unavailable: it cannot be had here.
    """
    LANES.mkdir(exist_ok=True)
    with _locked(LANES / f".{lane.home.name}.lock"):
        _REQUIREMENTS[lane.kind]()
        if not is_current(lane):
            _replace(lane)
    return lane.home


def _replace(lane: Lane) -> None:
    shutil.rmtree(lane.home, ignore_errors=True)
    lane.home.mkdir()
    _INSTALLERS[lane.kind](lane)
    # The stamp comes last: an interrupted installation is no installation.
    (lane.home / STAMP).write_text(fingerprint(lane))


def _install_python(lane: Lane) -> None:
    venv.EnvBuilder(with_pip=True).create(lane.home)
    pip = [str(lane.home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    run([*pip, "install", "--require-hashes", "--only-binary", ":all:", "-r", str(lane.lock)], cwd=lane.home)


def _install_node(lane: Lane) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lane.lock / name, lane.home / name)
    # No scripts: nothing of these packages needs one, and a test lane is no place to run strangers' code at install time.
    run(["npm", "ci", "--omit=optional", "--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=lane.home)


def _require_nothing() -> None:
    """Python is there: it runs this."""


def _require_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Unavailable("node and npm are not installed")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2]) < NODE_MINIMUM:
        raise Unavailable(f"node {NODE_MINIMUM[0]}.{NODE_MINIMUM[1]} or newer is needed; this is {said.strip()}")


def _require_browser() -> None:
    _require_node()
    find_or_install()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def required_here() -> bool:
    """Tell whether an unavailable lane is a failure: on CI nothing is skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def report(text: str) -> None:
    """Print one line of progress at once."""
    print(text, flush=True)


_REQUIREMENTS: Final[dict[Kind, Callable[[], None]]] = {
    Kind.PYTHON: _require_nothing,
    Kind.NODE: _require_node,
    Kind.BROWSER: _require_browser,
    Kind.GO: go.require,
    Kind.JVM: jvm.require,
    Kind.RUST: rust.require,
}
_INSTALLERS: Final[dict[Kind, Callable[[Lane], None]]] = {
    Kind.PYTHON: _install_python,
    Kind.NODE: _install_node,
    Kind.BROWSER: _install_node,
    Kind.GO: go.install,
    Kind.JVM: jvm.install,
    Kind.RUST: rust.install,
}
