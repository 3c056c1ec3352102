"""The installer of JVM lanes: only the locked jars, byte for byte. Maven and the compiler are scripts: no JDK is needed."""

import hashlib

import pytest

from tools.sdks import lanes
from tools.sdks.compiled import jvm
from tools.sdks.lanes import ALL, Kind, Lane
from tools.sdks.unavailable import Unavailable

JVMS = [lane for lane in ALL.values() if lane.kind is Kind.JVM]
JAR = b"a jar"
LOCKED = f"org.example:one-two:1.0 sha256:{hashlib.sha256(JAR).hexdigest()}\n"


@pytest.fixture
def lane(tmp_path, monkeypatch):
    """A lane with one jar in its lock, in a tree of its own."""
    for name in ("LOCKS", "LANES", "DRIVERS"):
        monkeypatch.setattr(lanes, name, tmp_path / name)
    lane = Lane("some-sdk", "1.0", Kind.JVM)
    for folder in (lane.lock, lane.home, lane.driver):
        folder.mkdir(parents=True)
    (lane.lock / jvm.LOCK).write_text(LOCKED)
    (lane.driver / "Driver.java").write_text("class Driver {}")
    return lane


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Return a function that puts scripts by the names of tools on an otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(lanes, "TOOL_PLACES", ())

    def put(**scripts):
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    return put


def fetching(*files):
    lines = [f"printf '%s' '{content}' > jars/{name}" for name, content in files]
    return "\n".join(["/bin/mkdir jars", *lines])


@pytest.mark.parametrize("lane", JVMS, ids=lambda lane: lane.name)
def test_a_jvm_lock_pins_its_sdk_and_all_that_it_brings_with_hashes_and_names_no_repository(lane):
    jars = jvm.read(lane.lock / jvm.LOCK)
    assert {(jar.group, jar.artifact, jar.version) for jar in jars} >= {
        ("com.posthog", lane.sdk, lane.version),
        ("com.google.code.gson", "gson", "2.10.1"),
    }
    assert "://" not in (lane.lock / jvm.LOCK).read_text()
    assert len({jar.file for jar in jars}) == len(jars)


def test_what_a_locked_jar_asks_for_is_not_fetched(lane):
    project = jvm.project(jvm.read(lane.lock / jvm.LOCK))
    assert "<artifactId>one-two</artifactId><version>1.0</version><exclusions><exclusion><groupId>*</groupId>" in project


def test_the_locked_jars_and_the_driver_make_a_lane(lane, tools):
    tools(mvn=fetching(("one-two-1.0.jar", "a jar")), javac=":")
    jvm.install(lane)
    assert (lane.home / "jars" / "one-two-1.0.jar").read_bytes() == JAR


@pytest.mark.parametrize(
    ("fetched", "reason"),
    [
        ([("one-two-1.0.jar", "another jar")], "not the file that was locked"),
        ([("one-two-1.0.jar", "a jar"), ("stowaway-1.jar", "")], "stowaway-1.jar"),
        ([], "one-two-1.0.jar"),
    ],
    ids=["other content", "a jar too many", "a jar missing"],
)
def test_anything_but_the_locked_jars_is_refused_before_it_is_run(lane, tools, fetched, reason):
    tools(mvn=fetching(*fetched), javac="echo compiled it all the same >&2; exit 1")
    with pytest.raises(Unavailable, match=reason):
        jvm.install(lane)


@pytest.mark.parametrize(
    ("scripts", "reason"),
    [
        ({}, "mvn is not installed"),
        ({"mvn": ":"}, "javac is not installed"),
        ({"mvn": ":", "javac": "echo javac 11.0.21"}, "JDK 17 or newer is needed; this is javac 11.0.21"),
    ],
    ids=["no Maven", "no JDK", "an old JDK"],
)
def test_what_is_missing_is_said(tools, scripts, reason):
    tools(**scripts)
    with pytest.raises(Unavailable, match=reason):
        jvm.require()


def test_a_jdk_of_the_minimum_and_maven_will_do(tools):
    tools(mvn=":", javac="echo javac 17.0.15")
    jvm.require()


@pytest.mark.parametrize("line", ["org.example:one:1.0", "one:1.0 sha256:" + "0" * 64, "org.example:one:1.0 sha256:00"])
def test_a_lock_with_a_line_of_another_form_is_a_mistake_in_the_repository(tmp_path, line):
    (tmp_path / jvm.LOCK).write_text(line)
    with pytest.raises(ValueError, match="is not `group:artifact:version"):
        jvm.read(tmp_path / jvm.LOCK)
