"""The installer of the SDK lanes: locks that any mirror can serve, and no silent skips."""

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from tools.sdks import install, lanes
from tools.sdks.compiled import go
from tools.sdks.lanes import ALL, COMPILED, QUICK, Kind, Lane, fingerprint, is_current
from tools.sdks.unavailable import Unavailable

PYTHONS = [lane for lane in ALL.values() if lane.kind is Kind.PYTHON]
NPMS = [lane for lane in ALL.values() if lane.kind in {Kind.NODE, Kind.BROWSER}]
GOS = [lane for lane in ALL.values() if lane.kind is Kind.GO]


@pytest.mark.parametrize("lane", PYTHONS, ids=lambda lane: lane.name)
def test_a_python_lock_pins_its_sdk_with_hashes_and_names_no_index(lane):
    text = lane.lock.read_text()
    assert f"posthog=={lane.version} " in text
    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


@pytest.mark.parametrize("lane", NPMS, ids=lambda lane: lane.name)
def test_an_npm_lock_pins_every_package_with_its_integrity_and_no_address(lane):
    packages = json.loads((lane.lock / "package-lock.json").read_text())["packages"]
    installed = {path: package for path, package in packages.items() if path}
    assert installed[f"node_modules/{lane.sdk}"]["version"] == lane.version
    assert all("integrity" in package and "resolved" not in package for package in installed.values())


@pytest.mark.parametrize("lane", GOS, ids=lambda lane: lane.name)
def test_a_go_lock_pins_its_sdk_and_every_module_has_a_hash(lane):
    modules, sums = ((lane.lock / name).read_text() for name in ("go.mod", "go.sum"))
    assert f"github.com/posthog/posthog-go v{lane.version}" in modules
    hashed = {tuple(line.split()[:2]) for line in sums.splitlines() if " h1:" in line}
    assert set(re.findall(r"(?:require |\t)(\S+) (v\S+)", modules)) <= hashed
    assert "://" not in modules + sums


def test_two_versions_of_each_run_side_by_side_where_there_are_two():
    count = Counter(lane.sdk for lane in ALL.values())
    assert {sdk: count[sdk] for sdk in ("posthog-python", "posthog-node", "posthog-go", "posthog-js")} == {
        "posthog-python": 2,
        "posthog-node": 2,
        "posthog-go": 2,
        "posthog-js": 1,
    }


def test_what_make_test_installs_needs_no_compiler():
    assert [lane.name for lane in QUICK.values() if lane.driver] == []
    assert [lane.name for lane in COMPILED.values() if not lane.driver] == []


@pytest.mark.parametrize("lane", COMPILED.values(), ids=lambda lane: lane.name)
def test_a_compiled_lane_has_a_driver_and_an_installer(lane):
    assert any(path.is_file() for path in lane.driver.rglob("*"))
    assert lane.kind in install._INSTALLERS
    assert lane.kind in install._REQUIREMENTS


def test_a_lane_is_current_until_its_lock_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(lanes, "LOCKS", tmp_path)
    monkeypatch.setattr(lanes, "LANES", tmp_path)
    lane = Lane("posthog-python", "0.0.1", Kind.PYTHON)
    lane.lock.write_text("posthog==0.0.1")
    lane.home.mkdir()
    assert not is_current(lane)
    (lane.home / lanes.STAMP).write_text(fingerprint(lane))
    assert is_current(lane)
    lane.lock.write_text("posthog==0.0.1 --hash=sha256:00")
    assert not is_current(lane)


def test_a_compiled_lane_is_current_until_its_driver_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(lanes, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(lanes, "LANES", tmp_path)
    monkeypatch.setattr(lanes, "DRIVERS", tmp_path / "drivers")
    lane = Lane("posthog-go", "0.0.1", Kind.GO)
    for folder in (lane.lock, lane.driver, lane.home):
        folder.mkdir(parents=True)
    (lane.lock / "go.mod").write_text("require …")
    (lane.driver / "main.go").write_text("package main")
    (lane.home / lanes.STAMP).write_text(fingerprint(lane))
    assert is_current(lane)
    (lane.driver / "main.go").write_text("package main // changed")
    assert not is_current(lane)


def test_an_interrupted_installation_is_no_installation(tmp_path, monkeypatch):
    monkeypatch.setattr(lanes, "LOCKS", tmp_path)
    monkeypatch.setattr(lanes, "LANES", tmp_path)
    monkeypatch.setattr(install, "LANES", tmp_path)
    lane = Lane("posthog-python", "0.0.1", Kind.PYTHON)
    lane.lock.write_text("posthog==0.0.1 --hash=sha256:" + "0" * 64)
    lane.home.mkdir()
    (lane.home / "half").touch()

    def interrupted(_):
        assert not (lane.home / "half").exists()
        raise KeyboardInterrupt

    monkeypatch.setitem(install._INSTALLERS, Kind.PYTHON, interrupted)
    with pytest.raises(KeyboardInterrupt):
        install.ensure(lane)
    assert not is_current(lane)


def run(*names, **environment):
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "tools.sdks", *names]
    return subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True, check=False)


def test_a_compiler_that_is_not_installed_is_unavailable_with_the_reason(monkeypatch):
    monkeypatch.setattr(go, "tool", lambda _: None)
    with pytest.raises(Unavailable, match="go is not installed"):
        go.require()


@pytest.mark.parametrize(("ci", "code", "word"), [("", 0, "skipped"), ("true", 1, "FAILED")])
def test_what_the_machine_lacks_is_skipped_with_the_reason_and_fails_on_ci(ci, code, word, tmp_path):
    done = run("posthog-node@5.70.0", CI=ci, PATH=str(tmp_path))
    assert (done.returncode, done.stdout.split()[:2]) == (code, ["posthog-node@5.70.0", f"{word}:"])
    assert "node and npm are not installed" in done.stdout


def test_an_unknown_lane_is_exit_code_2_with_the_known_ones():
    done = run("posthog-cobol@1")
    assert done.returncode == 2
    assert "posthog-js@1.449.2" in done.stdout
