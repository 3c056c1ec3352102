"""The lock of a Rust lane, `crates.lock`: one line a crate, `name version sha256 needs…`, for the whole dependency graph.

It says what Cargo's own lock says except where crates come from: that is the reader's configuration, and cargo is asked for
it when the lane is installed. A crate is needed by its name, or `name@version` where the graph has several of that name. The
driver itself, which is downloaded from nowhere, has `-` for its hash.

`python -m tools.sdks.compiled.crates FOLDER` writes the lock of a folder with a `Cargo.toml` afresh, from the newest that
its manifest allows.
"""

from __future__ import annotations

import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tools.sdks.process import run
from tools.sdks.unavailable import Unavailable

NAME: Final = "crates.lock"
FORMAT: Final = 4
"""Of the `Cargo.lock` that is written."""
_HASH: Final = re.compile(r"[0-9a-f]{64}|-")


class Crate(NamedTuple):
    """One crate of the graph; `sha256` is None for the driver itself."""

    name: str
    version: str
    sha256: str | None
    needs: tuple[str, ...]


def parse(text: str) -> list[Crate]:
    """Read a lock.

    Raises:
        ValueError: a line is not of this format.
    """
    return [_crate(line) for line in text.splitlines() if line and not line.startswith("#")]


def render(crates: Sequence[Crate]) -> str:
    """Write a lock: the inverse of `parse`."""
    lines = [" ".join((crate.name, crate.version, crate.sha256 or "-", *crate.needs)) for crate in crates]
    return "\n".join(["# name, version, sha256 of the archive, crates needed", *lines]) + "\n"


def as_cargo_lock(crates: Sequence[Crate], source: str) -> str:
    """Return the `Cargo.lock` that pins these crates and makes cargo verify them.

    Args:
        crates: The whole graph, the driver included.
        source: Where crates come from, as cargo writes it.
    """
    return "\n".join([f"version = {FORMAT}", *(_package(crate, source) for crate in crates)])


def from_cargo_lock(text: str) -> tuple[list[Crate], str]:
    """Return the crates of a `Cargo.lock`, and where they come from.

    Raises:
        Unavailable: they come from several places, or from none.
    """
    packages: list[dict[str, Any]] = tomllib.loads(text)["package"]
    sources = {package["source"] for package in packages if "source" in package}
    if len(sources) != 1:
        raise Unavailable(f"crates must come from one place, not {len(sources)}")
    crates = [
        Crate(one["name"], one["version"], one.get("checksum"), tuple(_at(need) for need in one.get("dependencies", ())))
        for one in packages
    ]
    return crates, sources.pop()


def resolve(cargo: str, manifest: Path) -> str:
    """Return the `Cargo.lock` of the newest crates that the manifest in a folder allows."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "Cargo.toml").write_bytes(manifest.read_bytes())
        (scratch / "main.rs").touch()
        run([cargo, "generate-lockfile"], cwd=scratch)
        return (scratch / "Cargo.lock").read_text(encoding="utf-8")


def _crate(line: str) -> Crate:
    name, version, sha256, *needs = line.split(" ")
    if not _HASH.fullmatch(sha256):
        raise ValueError(f"{name} {version} has no hash")
    return Crate(name, version, None if sha256 == "-" else sha256, tuple(needs))


def _package(crate: Crate, source: str) -> str:
    origin = [f'source = "{source}"', f'checksum = "{crate.sha256}"'] if crate.sha256 else []
    needs = [f' "{need.replace("@", " ")}",' for need in crate.needs]
    lines = ["", "[[package]]", f'name = "{crate.name}"', f'version = "{crate.version}"', *origin]
    return "\n".join([*lines, *(["dependencies = [", *needs, "]"] if needs else []), ""])


def _at(need: str) -> str:
    return "@".join(need.split(" ")[:2])


def main(folder: Path) -> None:
    """Write the lock of a folder afresh."""
    crates, _ = from_cargo_lock(resolve("cargo", folder / "Cargo.toml"))
    (folder / NAME).write_text(render(crates), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
