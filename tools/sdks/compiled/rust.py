"""Rust lanes: the driver compiled against the crates that `crates.lock` names, each verified by its hash, and no others.

Compiled crates are kept in a folder that all Rust lanes share: a changed driver then takes ten
seconds where the first build takes minutes.
"""

from __future__ import annotations

import re
import shutil
from typing import Final

from tools.sdks.lanes import LANES, Lane, tool
from tools.sdks.process import run
from tools.sdks.unavailable import Unavailable

from . import crates

MINIMUM: Final = (1, 89)
"""What the newest of the locked crates asks for."""
BUILT: Final = LANES / ".rust"
BUILD_S: Final = 1800
"""Measured: four minutes on two slow, busy cores; one of the crates is in C."""


def require() -> None:
    """Make sure of a Rust compiler.

    Raises:
        Unavailable: there is none, or it is too old.
    """
    said = run([_cargo(), "--version"]).strip()
    if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) < MINIMUM:
        raise Unavailable(f"cargo {MINIMUM[0]}.{MINIMUM[1]} or newer is needed; this is {said}")


def install(lane: Lane) -> None:
    """Compile the driver into the lane.

    Raises:
        Unavailable: a crate cannot be had, its hash differs from the lock's, the lock does not fit the manifest, or the
            driver does not compile.
    """
    assert lane.driver is not None
    source = lane.home / "source"
    shutil.copytree(lane.driver, source)
    manifest = lane.lock / "Cargo.toml"
    shutil.copy(manifest, source)
    # Which place crates come from is this machine's business, so cargo is asked; what they are is the lock's.
    _, origin = crates.from_cargo_lock(crates.resolve(_cargo(), manifest))
    locked = crates.parse((lane.lock / crates.NAME).read_text(encoding="utf-8"))
    (source / "Cargo.lock").write_text(crates.as_cargo_lock(locked, origin), encoding="utf-8")
    build = [_cargo(), "build", "--release", "--locked", "--quiet"]
    run(build, cwd=source, environment={"CARGO_TARGET_DIR": str(BUILT)}, timeout_s=BUILD_S)
    shutil.copy(BUILT / "release" / "driver", lane.home / "driver")


def _cargo() -> str:
    found = tool("cargo")
    if found is None:
        raise Unavailable("cargo is not installed")
    return found
