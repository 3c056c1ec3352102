"""Rust lanes: a lock of our own, without addresses, that cargo is made to obey and to verify."""

import re
import sys
import tomllib

import pytest

from tools.sdks import lanes
from tools.sdks.compiled import crates, rust
from tools.sdks.compiled.crates import Crate
from tools.sdks.lanes import COMPILED, Kind, Lane
from tools.sdks.unavailable import Unavailable

RUSTS = [lane for lane in COMPILED.values() if lane.kind is Kind.RUST]
GRAPH = [
    Crate("driver", "0.0.0", None, ("hash@1.0.0", "hash@2.0.0")),
    Crate("hash", "1.0.0", "a" * 64, ()),
    Crate("hash", "2.0.0", "b" * 64, ("leaf",)),
    Crate("leaf", "0.1.0+x", "c" * 64, ()),
]
CARGO = """#!{python}
import os, pathlib, sys
folder, words = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ".")) / "release", sys.argv[1:]
if words == ["--version"]:
    print({version!r})
elif words == ["generate-lockfile"]:
    pathlib.Path("Cargo.lock").write_text({resolved!r})
elif words[0] == "build" and "--locked" in words and "refuse" not in pathlib.Path("main.rs").read_text():
    folder.mkdir(parents=True)
    (folder / "driver").write_text(pathlib.Path("Cargo.lock").read_text())
else:
    sys.exit("checksum for `leaf v0.1.0` changed between lock files")
"""


@pytest.fixture
def lane(tmp_path, monkeypatch):
    """A lane with `GRAPH` for its lock, and a cargo that would take a newer leaf, and builds a driver out of its lock."""
    newer = [crate._replace(version="0.2.0", sha256="d" * 64) if crate.name == "leaf" else crate for crate in GRAPH]
    monkeypatch.setattr(lanes, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(lanes, "LANES", tmp_path / "lanes")
    monkeypatch.setattr(lanes, "DRIVERS", tmp_path / "drivers")
    monkeypatch.setattr(lanes, "TOOL_PLACES", ())
    monkeypatch.setattr(rust, "BUILT", tmp_path / "built")
    lane = Lane("posthog-rs", "0.0.1", Kind.RUST)
    for folder in (lane.lock, lane.driver, lane.home, tmp_path / "bin"):
        folder.mkdir(parents=True)
    (lane.lock / "Cargo.toml").write_text("[package]")
    (lane.lock / crates.NAME).write_text(crates.render(GRAPH))
    (lane.driver / "main.rs").write_text("fn main() {}")
    install_cargo(tmp_path / "bin", resolved=crates.as_cargo_lock(newer, "a place of this machine"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return lane


def install_cargo(folder, *, resolved="", version="cargo 1.95.0 (f2d3ce0bd 2026-03-21)"):
    cargo = folder / "cargo"
    cargo.write_text(CARGO.format(python=sys.executable, resolved=resolved, version=version))
    cargo.chmod(0o755)


def test_a_lock_that_was_written_is_read_back():
    assert crates.parse(crates.render(GRAPH)) == GRAPH


def test_a_crate_without_a_hash_is_refused():
    with pytest.raises(ValueError, match=r"leaf 0\.1\.0 has no hash"):
        crates.parse("leaf 0.1.0 serde")


def test_a_lock_becomes_cargos_own_and_back():
    text = crates.as_cargo_lock(GRAPH, "somewhere")
    assert crates.from_cargo_lock(text) == (GRAPH, "somewhere")
    packages = tomllib.loads(text)["package"]
    assert packages[0] == {"name": "driver", "version": "0.0.0", "dependencies": ["hash 1.0.0", "hash 2.0.0"]}
    assert packages[3] == {"name": "leaf", "version": "0.1.0+x", "source": "somewhere", "checksum": "c" * 64}


def test_crates_from_several_places_are_refused():
    text = crates.as_cargo_lock(GRAPH[:2], "here") + crates.as_cargo_lock(GRAPH[2:], "there").partition("\n")[2]
    with pytest.raises(Unavailable, match="one place, not 2"):
        crates.from_cargo_lock(text)


@pytest.mark.parametrize("lane", RUSTS, ids=lambda lane: lane.name)
def test_a_rust_lock_pins_its_sdk_and_the_whole_graph_with_hashes_and_no_address(lane):
    text = (lane.lock / crates.NAME).read_text()
    graph = crates.parse(text)
    names = [crate.name for crate in graph]
    known = {crate.name for crate in graph if names.count(crate.name) == 1} | {f"{one.name}@{one.version}" for one in graph}
    assert lane.version in {crate.version for crate in graph if crate.name == lane.sdk}
    assert [crate.name for crate in graph if crate.sha256 is None] == ["driver"]
    assert {need for crate in graph for need in crate.needs} <= known
    assert "://" not in text
    assert not list(lane.lock.glob("Cargo.lock"))


@pytest.mark.parametrize("lane", RUSTS, ids=lambda lane: lane.name)
def test_a_rust_manifest_asks_for_exact_versions_that_the_lock_has(lane):
    manifest = tomllib.loads((lane.lock / "Cargo.toml").read_text())
    graph = {(crate.name, crate.version) for crate in crates.parse((lane.lock / crates.NAME).read_text())}
    asked = {(name, dependency["version"]) for name, dependency in manifest["dependencies"].items()}
    assert asked
    assert all(re.fullmatch(r"=\d+\.\d+\.\d+", version) for _, version in asked)
    assert {(name, version[1:]) for name, version in asked} <= graph


def test_the_locked_crates_are_built_even_where_newer_ones_exist(lane):
    rust.install(lane)
    assert crates.from_cargo_lock((lane.home / "driver").read_text()) == (GRAPH, "a place of this machine")


def test_a_build_that_cargo_refuses_is_unavailable_with_its_words(lane):
    (lane.driver / "main.rs").write_text("refuse")
    with pytest.raises(Unavailable, match="changed between lock files"):
        rust.install(lane)


def test_a_machine_without_cargo_is_told_so(lane, tmp_path):
    rust.require()
    (tmp_path / "bin" / "cargo").unlink()
    with pytest.raises(Unavailable, match="cargo is not installed"):
        rust.require()


def test_an_old_cargo_is_refused_by_its_version(lane, tmp_path):
    install_cargo(tmp_path / "bin", version="cargo 1.75.0")
    with pytest.raises(Unavailable, match=r"1\.89 or newer is needed; this is cargo 1\.75\.0"):
        rust.require()
