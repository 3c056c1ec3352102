"""Makes the mutants and draws the seeded sample: what is not drawn is marked as skipped in mutmut's own records.

Runs inside the workspace, as a process of its own, since mutmut takes its settings from the folder it is imported in:
`sample.py SIZE SEED` prints `{"mutants": N, "sampled": n}`. Names on standard input are drawn instead, where there are any.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Collection
from pathlib import Path

SKIPPED = 34
"""mutmut's exit code for a mutant that is left out (mutmut/stats.py)."""
MUTANTS = Path("mutants")


def generate() -> None:
    """Write all mutants of the rooms, as the first step of `mutmut run` does."""
    from mutmut.__main__ import create_mutants
    from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir

    MUTANTS.mkdir()
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(2)


def draw(mutants: Path, size: int, seed: int, *, named: Collection[str] = ()) -> tuple[int, int]:
    """Mark all but the named ones, or else a seeded sample, as skipped; return how many there are and how many were drawn."""
    records = {path: json.loads(path.read_text()) for path in sorted(mutants.rglob("*.meta"))}
    names = sorted(name for record in records.values() for name in record["exit_code_by_key"])
    drawn = set(names).intersection(named) if named else set(random.Random(seed).sample(names, min(size, len(names))))
    for path, record in records.items():
        codes = record["exit_code_by_key"]
        record["exit_code_by_key"] = {name: None if name in drawn else SKIPPED for name in codes}
        path.write_text(json.dumps(record, indent=4))
    return len(names), len(drawn)


if __name__ == "__main__":
    generate()
    total, sampled = draw(MUTANTS, int(sys.argv[1]), int(sys.argv[2]), named=sys.stdin.read().split())
    sys.stdout.write("\n" + json.dumps({"mutants": total, "sampled": sampled}) + "\n")
