"""The outcome of one search, as every report reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from harness.known import Known
from harness.search.state import Finding

FORMAT: Final = 1
USUAL_ZONE: Final = "UTC"
DECLINES: Final = ("subject declines", "base declines", "both decline")


class Took(msgspec.Struct, frozen=True):
    """One subject that took part; a twin is one of the others in a further host zone."""

    name: str
    version: str
    is_base: bool
    restarts: int = 0
    is_twin: bool = False


class Seen(msgspec.Struct, frozen=True):
    """A known divergence that was met, with its reproducer in this run."""

    known: Known
    finding: Finding


class Outcome(msgspec.Struct, kw_only=True):
    """All of it.

    Attributes:
        format: The version of this shape as JSON; a field that is added leaves it, one that changes or goes raises it.
        pairs: (flag, person) pairs put to all subjects, shrinking not counted.
        kinds: Subject → kind → pairs.
        replayed: Reproducers of the corpus put to the subjects first.
        new: Causes that no known divergence claims.
        crowded_out: Findings that there was no room to keep.
        vanished: (id, subject) whose reproducers no longer differ.
    """

    took: list[Took]
    seed: int
    level: str
    seconds: float
    zone: str
    batches: int
    pairs: int
    kinds: dict[str, dict[str, int]]
    replayed: int
    new: list[Finding]
    seen: list[Seen]
    vanished: list[tuple[str, str]]
    expired: list[Known]
    expiring: list[Known]
    crowded_out: int = 0
    strict: bool = False
    format: int = FORMAT

    @property
    def is_good(self) -> bool:
        """Nothing unexplained, and nothing forgiven past its day."""
        return not self.new and not self.expired and not self.crowded_out

    def decided(self, subject: str) -> int:
        """Pairs on which both sides were definite."""
        return sum(count for kind, count in self.kinds.get(subject, {}).items() if kind not in DECLINES)

    def done(self) -> str:
        """Return what was done, in a line."""
        done = f"{self.replayed} reproducers replayed, {self.batches} batches, {self.pairs} pairs"
        return f"{done}, level {self.level}, zone {self.zone}"

    def repeat(self) -> str:
        """Return the command that starts the same search."""
        names = ",".join(one.name for one in self.took if not one.is_twin)
        zone = "" if self.zone == USUAL_ZONE else f" --zone {self.zone}"
        options = (
            f"--seed {self.seed} --level {self.level}{zone}{' --strict' if self.strict else ''} --seconds {self.seconds:g}"
        )
        return f"flags-harness run --subjects {names} {options}"

    def matrix(self) -> tuple[Sequence[str], list[tuple[str, list[str]]]]:
        """Return subjects and, by feature, what each did: `new`, `known`, or nothing."""
        subjects = [one.name for one in self.took if not one.is_base]
        marks = {(finding.cause.feature, finding.cause.subject): "known" for _, finding in self._seen()}
        marks |= {(finding.cause.feature, finding.cause.subject): "new" for finding in self.new}
        found = sorted({feature for feature, _ in marks})
        return subjects, [(feature, [marks.get((feature, subject), "") for subject in subjects]) for feature in found]

    def _seen(self) -> list[tuple[Known, Finding]]:
        return [(one.known, one.finding) for one in self.seen]
