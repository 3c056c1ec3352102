"""Kept reproducers as tests: the subjects are started once a run, each test asks one subject about one reproducer.

A test passes where the subject answers as the base does, or differs in a way that is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.known import Register
from harness.search.cause import Cause, features
from harness.search.corpus import read
from harness.search.panel import Panel
from harness.search.state import Finding
from harness.subjects.child import Child, Launch


class Replay:
    """The subjects of one run, in a loop that outlives each test. Not for concurrent callers."""

    def __init__(self, launches: Sequence[Launch], register: Register) -> None:
        self._launches = {launch.name: launch for launch in launches}
        self._base = launches[0].name
        self._register = register
        self._runner = asyncio.Runner()
        self._children: dict[str, Child] = {}

    def unexplained(self, subject: str, kept: Finding) -> list[Finding]:
        """Put one reproducer to the base and one subject; return the differences that no known divergence claims.

        Raises:
            UnusableSubject: the subject cannot be started.
        """
        found = self._runner.run(self._differences(subject, kept))
        return [finding for finding in found if self._register.claimant(finding.cause) is None]

    def close(self) -> None:
        """End the subjects, and the loop."""
        self._runner.run(self._stop())
        self._runner.close()

    async def _differences(self, subject: str, kept: Finding) -> list[Finding]:
        base, other = [await self._child(name) for name in (self._base, subject)]
        specimen = kept.specimen
        differences = await Panel(base, [other]).differences(specimen.definitions, [specimen.person])
        named = [(Cause(one.base, one.subject, one.kind, *features(specimen)), one) for one in differences]
        return [Finding(cause, specimen, one.base_answer, one.subject_answer, one.detail) for cause, one in named]

    async def _child(self, name: str) -> Child:
        if name not in self._children:
            self._children[name] = await Child(self._launches[name]).__aenter__()
        return self._children[name]

    async def _stop(self) -> None:
        for child in self._children.values():
            await child.__aexit__(None, None, None)


def reproducers(folder: Path, base: str, subject: str) -> list[Finding]:
    """Return what is kept of a subject's SDK, at whatever version; where nothing is, of everybody: a newcomer is asked it all.

    One a document and person, in the order of the files.
    """
    kept = {msgspec.json.encode(finding.specimen): finding for finding in reversed(read(folder)) if finding.cause.base == base}
    own = [finding for finding in kept.values() if _sdk(finding.cause.subject) == _sdk(subject)]
    return list(reversed(own or list(kept.values())))


def _sdk(subject: str) -> str:
    return subject.partition("@")[0]
