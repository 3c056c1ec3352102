"""Builds the collector that otel-collector.yaml is written for, with the official builder, from the manifest beside this file.

Needs Go (on PATH or in /usr/local/go/bin), and its module proxy; takes a few minutes the first time. What this machine cannot
have is `Unavailable` with the reason.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tools.sdks.lanes import LANES, ROOT
from tools.sdks.unavailable import Unavailable

MANIFEST: Final = Path(__file__).with_name("manifest.yaml")
CONFIG: Final = ROOT / "otel-collector.yaml"
HOME: Final = LANES / "collector"
BINARY: Final = HOME / "src" / "otelcol-holdfast"
VERSION: Final = next(line.split()[-1] for line in MANIFEST.read_text().splitlines() if "version:" in line)
_BUILDER: Final = f"go.opentelemetry.io/collector/cmd/builder@v{VERSION}"
_STAMP: Final = ".ready"
_TIMEOUT_S: Final = 1500
_GO_PATHS: Final = "/usr/local/go/bin"


def find() -> Path:
    """Return the binary that was built from this very manifest.

    Raises:
        Unavailable: There is none; `make collector` builds it.
    """
    stamp = HOME / _STAMP
    if not stamp.is_file() or stamp.read_text() != _fingerprint() or not BINARY.is_file():
        raise Unavailable("no collector built here; build one with: make collector")
    return BINARY


def ensure() -> Path:
    """Build the collector if it is missing or its manifest changed; return the binary.

    Raises:
        Unavailable: It cannot be had here.
    """
    LANES.mkdir(exist_ok=True)
    with (LANES / ".collector.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            return find()
        except Unavailable:
            _build()
            return find()


def validate(binary: Path) -> str:
    """Have the collector check otel-collector.yaml; return its complaint, or nothing."""
    done = subprocess.run(
        [str(binary), "validate", "--config", str(CONFIG)], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stderr.strip() or "refused without a word"


def _build() -> None:
    go = shutil.which("go", path=f"{os.environ.get('PATH', '')}:{_GO_PATHS}")
    if go is None:
        raise Unavailable("no Go here: install it (https://go.dev/dl) or use a released collector of the same version")
    HOME.mkdir(exist_ok=True)
    environ = {**os.environ, "GOBIN": str(HOME), "PATH": f"{Path(go).parent}:{os.environ.get('PATH', '')}"}
    _run([go, "install", _BUILDER], environ)
    manifest = HOME / "manifest.yaml"
    manifest.write_text(MANIFEST.read_text().replace("dist:\n", f"dist:\n  output_path: {BINARY.parent}\n", 1))
    _run([str(HOME / "builder"), "--config", str(manifest)], environ)
    (HOME / _STAMP).write_text(_fingerprint())  # last: an interrupted build is none


def _fingerprint() -> str:
    return hashlib.sha256(MANIFEST.read_bytes()).hexdigest()


def _run(command: list[str], environ: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            ["nice", *command], cwd=HOME, env=environ, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{Path(command[0]).name}: {error}") from error
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-400:]}")
