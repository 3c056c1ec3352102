"""Copies of the reference with one fault each, as subjects; and the search for the first difference."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

from harness.search.panel import Panel
from harness.search.pools import Level
from harness.search.write import PARTICULAR, THEMES, batch
from harness.subjects.catalogue import find
from harness.subjects.child import Child, Launch

ROOT = Path(__file__).resolve().parent.parent.parent
STARTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; runpy.run_module('reference', run_name='__main__')"


class Fault(NamedTuple):
    """One edit of one file under `reference/`; the old text stands there exactly once."""

    name: str
    file: str
    old: str
    new: str


class Found(NamedTuple):
    """What it took to see a fault; `theme` is None where it was not seen."""

    theme: str | None
    kind: str
    seconds: float
    pairs: int


ASKED = (*THEMES, *PARTICULAR)
FAULTS = [Fault(*one) for one in json.loads(Path(__file__).with_name("faults.json").read_text(encoding="utf-8"))]


def copied(folder, fault):
    """Copy the reference into a folder, with the fault (None: without); return how to start it."""
    home = folder / "reference"
    shutil.copytree(ROOT / "reference", home, ignore=shutil.ignore_patterns("__pycache__", "service"))
    if fault is not None:
        file = home / fault.file
        text = file.read_text(encoding="utf-8")
        assert text.count(fault.old) == 1, f"{fault.name}: the text stands {text.count(fault.old)} times in {fault.file}"
        file.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return Launch(name="planted", command=(sys.executable, "-c", STARTER, str(folder), "jsonlines"))


async def seek(launch, seconds, seed=1):
    """Search for the first difference between the reference and a subject."""
    async with Child(find("reference", ROOT)) as base:
        return await seek_beside(base, launch, seconds, seed)


async def seek_beside(base, launch, seconds, seed=1):
    """Search for the first difference between a base that runs already and a subject, another version of the same."""
    started = time.monotonic()
    async with Child(launch) as subject:
        panel = Panel(base, [subject], strict=True)
        number = 0
        while time.monotonic() - started < seconds:
            level = Level.PLAUSIBLE if number // len(ASKED) % 2 == 0 else Level.HOSTILE
            theme = ASKED[number % len(ASKED)]
            case = batch(theme, level, f"{seed}:{number}")
            differences = await panel.differences(case.definitions, case.people)
            if differences:
                return Found(theme, differences[0].kind, time.monotonic() - started, panel.tally.pairs)
            number += 1
        return Found(None, "", time.monotonic() - started, panel.tally.pairs)
