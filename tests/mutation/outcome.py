"""What became of the mutants: mutmut's records read back, counted by room, and the diffs of those that lived.

A mutant counts as killed when a test failed, when it hung or when it crashed the interpreter. One that no test reaches
counts as survived: nobody would have noticed it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mutmut.stats import status_by_exit_code

KILLED = frozenset({"killed", "timeout", "segfault"})
LEFT_OUT = frozenset({"skipped"})
UNKNOWN = frozenset({"not checked", "check was interrupted by user"})


@dataclass
class Outcome:
    """Counts by room and verdict, and the names of the survivors."""

    rooms: dict[str, Counter[str]] = field(default_factory=dict)
    survivors: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return sum(self.rooms.values(), Counter())

    @property
    def judged(self) -> int:
        return self.counts["killed"] + self.counts["survived"]

    @property
    def killed_ratio(self) -> float:
        return self.counts["killed"] / self.judged if self.judged else 0.0


def read(workspace: Path) -> Outcome:
    """Read all records of a finished or interrupted run."""
    outcome = Outcome()
    for path in sorted((workspace / "mutants").rglob("*.meta")):
        room = str(path.relative_to(workspace / "mutants").with_suffix(""))
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            status = status_by_exit_code[code]
            if status in LEFT_OUT:
                continue
            verdict = "killed" if status in KILLED else "not judged" if status in UNKNOWN else "survived"
            outcome.rooms.setdefault(room, Counter())[verdict] += 1
            if verdict == "survived":
                outcome.survivors.append(name)
    return outcome


def table(outcome: Outcome) -> Iterator[str]:
    """Yield a Markdown table: one line per room, then the sum."""
    yield "| room | sampled | killed | survived | not judged |"
    yield "| ---- | ------: | -----: | -------: | ---------: |"
    for room, counts in (*sorted(outcome.rooms.items()), ("all", outcome.counts)):
        cells = (counts.total(), counts["killed"], counts["survived"], counts["not judged"])
        yield f"| {room} | " + " | ".join(str(cell) for cell in cells) + " |"


def show(names: list[str]) -> None:
    """Print the diff of each named mutant; runs inside the workspace, like mutmut itself."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for name in names:
        sys.stdout.write(f"# {name}\n{get_diff_for_mutant(name)}\n\n")


if __name__ == "__main__":
    show(sys.stdin.read().split())
