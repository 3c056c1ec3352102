"""JVM lanes: the jars that the lock names, byte for byte, and the driver compiled against them.

A lock is a line a jar, `group:artifact:version sha256:…`, whatever the SDK brings along included: nothing is resolved here, so
nothing else can slip in. Maven fetches, from wherever it is set up to fetch; we hold what came against the hashes.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from tools.sdks.lanes import Lane, tool
from tools.sdks.process import run
from tools.sdks.unavailable import Unavailable

MINIMUM: Final = 17
LOCK: Final = "jars.lock"
COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_LINE: Final = re.compile(r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+) sha256:(?P<sha256>[0-9a-f]{64})")


class Jar(NamedTuple):
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """What it is called in the lane."""
        return f"{self.artifact}-{self.version}.jar"


def require() -> None:
    """Make sure of a JDK and of Maven.

    Raises:
        Unavailable: one is missing, or the JDK is too old.
    """
    _tool("mvn")
    said = run([_tool("javac"), "-version"]).strip()
    release = re.search(r"\d+", said)
    if release is None or int(release.group()) < MINIMUM:
        raise Unavailable(f"JDK {MINIMUM} or newer is needed; this is {said}")


def install(lane: Lane) -> None:
    """Fetch the jars and compile the driver into the lane: `jars/` and `classes/`.

    Raises:
        Unavailable: a jar cannot be had, or is not the one that was locked; or the driver does not compile.
    """
    assert lane.driver is not None
    jars = read(lane.lock / LOCK)
    (lane.home / "pom.xml").write_text(project(jars), encoding="utf-8")
    run([_tool("mvn"), "-B", "-q", COPY, "-DoutputDirectory=jars", "-DexcludeTransitive=true"], cwd=lane.home)
    hold(lane.home / "jars", jars)
    sources = [str(source) for source in sorted(lane.driver.glob("*.java"))]
    flags = ["-encoding", "UTF-8", "-Xlint:all", "-Werror", "-cp", str(lane.home / "jars" / "*")]
    run([_tool("javac"), *flags, "-d", str(lane.home / "classes"), *sources])


def read(lock: Path) -> list[Jar]:
    """Return the jars of a lock.

    Raises:
        ValueError: a line is not of its form.
    """
    found = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{lock.name}: {line!r} is not `group:artifact:version sha256:…`")
        found.append(Jar(**match.groupdict()))
    return found


def project(jars: list[Jar]) -> str:
    """Return a Maven project that asks for these jars and for nothing that they ask for."""
    every = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    wanted = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version>{every}</dependency>"
        for jar in jars
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>holdfast</groupId><artifactId>lane</artifactId><version>1</version>"
        f"<dependencies>{wanted}</dependencies></project>\n"
    )


def hold(folder: Path, jars: list[Jar]) -> None:
    """Make sure that the folder holds the locked jars and nothing else.

    Raises:
        Unavailable: one is missing, differs, or is too many.
    """
    there = {file.name: file for file in folder.glob("*")}
    wanted = {jar.file: jar for jar in jars}
    if there.keys() != wanted.keys():
        raise Unavailable(f"not what the lock names: {', '.join(sorted(there.keys() ^ wanted.keys()))}")
    for name, jar in wanted.items():
        if hashlib.sha256(there[name].read_bytes()).hexdigest() != jar.sha256:
            raise Unavailable(f"{name} is not the file that was locked")


def _tool(name: str) -> str:
    found = tool(name)
    if found is None:
        raise Unavailable(f"{name} is not installed")
    return found
