"""Do answers and definitions tell of the same flags? Upstream evaluates and lists from two stores, and either can stand still.

In 2026 answers were four days old without an error. Such an answer is believed (upstream's word is the only one there is for
what it knew of a person), but said: in one of `EVERY` answers of a project the flags' versions are compared with those held.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading
from proxy.clock import Clock
from proxy.definitions.held import HeldSet
from proxy.telemetry.logs import Logger

from .judge import Finding
from .listing import flags_of, version_of

EVERY: Final = 64
OUTDATED_S: Final = 120.0
"""Definitions held for so long are known to every store of upstream's that is alive."""
AHEAD_S: Final = 600.0
"""A poller asks more often than that."""
SAID_EVERY_S: Final = 3600.0

Findings = MutableMapping[tuple[ProjectName, Finding], int]


class Lag:
    """Compares. What it finds is counted among the judge's `findings`."""

    def __init__(self, findings: Findings, *, clock: Clock, log: Logger | None = None) -> None:
        self._findings = findings
        self._turns: dict[ProjectName, int] = {}
        self._ahead_since: dict[ProjectName, float] = {}
        self._said_at: dict[tuple[ProjectName, Finding], float] = {}
        self._clock = clock
        self._log = log

    def look(self, request: FlagsRequest, reading: Reading, held: HeldSet | None) -> None:
        """Look at an error-free answer, if it is its turn."""
        if held is None:
            return
        turn = self._turns.get(request.project, 0) + 1
        self._turns[request.project] = turn % EVERY
        if turn == EVERY:
            self._compare(request.project, reading, held)

    def _compare(self, project: ProjectName, reading: Reading, held: HeldSet) -> None:
        now = self._clock.monotonic()
        pairs = [
            (version_of(raw), standing)
            for key, raw in flags_of(reading).items()
            if (standing := held.standings.get(key)) is not None and standing.flag.version > 0
        ]
        if any(0 < version < known.flag.version and now - known.since >= OUTDATED_S for version, known in pairs):
            self._found(project, Finding.OUTDATED, now)
        if not any(version > known.flag.version for version, known in pairs):
            self._ahead_since.pop(project, None)
        elif now - self._ahead_since.setdefault(project, now) >= AHEAD_S:
            self._found(project, Finding.AHEAD, now)

    def _found(self, project: ProjectName, finding: Finding, now: float) -> None:
        self._findings[project, finding] = self._findings.get((project, finding), 0) + 1
        said_at = self._said_at.get((project, finding))
        if self._log is not None and (said_at is None or now - said_at >= SAID_EVERY_S):
            self._said_at[project, finding] = now
            self._log.warning("answers_and_definitions_disagree", project=project, answers=finding.value)
