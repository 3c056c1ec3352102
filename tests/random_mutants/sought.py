"""One mutant as a subject: a copy of the reference with the mutant's file in it, and the search for a difference."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from harness.subjects.child import Launch, UnusableSubject
from tests.mutation.__main__ import environment
from tests.mutation.outcome import KILLED, status_by_exit_code
from tests.sensitivity.planted import STARTER, seek_beside

SCRIPT = Path(__file__).with_name("written.py")
ANSWER_S = 5.0
"""A batch is answered within a tenth of a second: a mutant that takes this long hangs, and that is a finding."""


class Mutant(NamedTuple):
    """One mutant: mutmut's name for it, the file it changes, the changed copy of that file, and the diff."""

    name: str
    path: str
    copy: str
    diff: str


class Sought(NamedTuple):
    """What became of the search for one mutant; `theme` is None where nothing differed."""

    name: str
    theme: str | None
    kind: str
    seconds: float


def killed(home):
    """Return the names of the mutants that the unit tests kill, of those judged, sorted."""
    records = [json.loads(path.read_text())["exit_code_by_key"] for path in sorted((home / "mutants").rglob("*.meta"))]
    return sorted(
        name for record in records for name, code in record.items() if code is not None and status_by_exit_code[code] in KILLED
    )


def drawn(names, size, seed):
    """Return a seeded draw, in an order that does not depend on names."""
    return random.Random(seed).sample(names, min(size, len(names)))


def written(home, names):
    """Write the sources that the mutants stand for; return the mutants."""
    folder = home / "written"
    shutil.rmtree(folder, ignore_errors=True)
    told = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        cwd=home, env=environment(), input="\n".join(names), check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    return [Mutant(name, *rest) for name, rest in json.loads(told.splitlines()[-1]).items()]


async def sought(home, mutant, base, seconds):
    """Search for one mutant; one that does not even start is found at once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "reference"
        shutil.copytree(home / "reference", copy, ignore=shutil.ignore_patterns("__pycache__", "service"))
        shutil.copy2(home / mutant.copy, Path(folder) / mutant.path)
        launch = Launch(
            name="mutant", command=(sys.executable, "-c", STARTER, folder, "jsonlines"), answer_s=ANSWER_S, start_s=30.0
        )
        try:
            found = await seek_beside(base, launch, seconds)
        except UnusableSubject:
            return Sought(mutant.name, "start", "crash", 0.0)
    return Sought(mutant.name, found.theme, found.kind, found.seconds)
