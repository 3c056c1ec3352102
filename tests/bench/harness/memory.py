"""Memory of the consistency suite over a quarter of an hour: the harness and each of its subjects, sampled while it searches.

`python -m tests.bench.harness.memory [--minutes 15] [--write]`. Exit 1 when one of them grows: a straight line through the
samples after the first third rises by more than 16 MiB an hour and by more than a twentieth of its size, or the search ends
otherwise than with findings or agreement. The first third is left out: caches fill and allocators find their size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Final

from tests.bench import page
from tests.bench.children import ROOT
from tests.bench.cpu import tree
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES

SDKS: Final = ("posthog-python@7.91.1", "posthog-node@5.70.0")
SUBJECTS: Final = ("reference", "service", *SDKS)
NAMES: Final = {
    "jsonlines": "reference",
    "flag_service": "service",
    "reference.service": "service",
    "posthog_python": SDKS[0],
    "posthog_node": SDKS[1],
}
HOUR_S: Final = 3600.0
EVERY_S: Final = 5.0
PER_HOUR_MIB: Final = 16.0
SHARE: Final = 0.05
SETTLING: Final = 1 / 3
GRACE_S: Final = 120.0
ENDED_WELL: Final = (0, 1)
"""The exit codes of a search that came to its end: agreement, or findings. What it found is another lane's affair."""


@dataclass(kw_only=True)
class Size:
    """Resident MiB of one of them over time; several processes under one name are one."""

    name: str
    at_s: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def settled(self, whole_s: float) -> tuple[list[float], list[float]]:
        kept = [(at, mib) for at, mib in zip(self.at_s, self.mib, strict=True) if at >= whole_s * SETTLING]
        return [at for at, _ in kept], [mib for _, mib in kept]

    def per_hour(self, whole_s: float) -> float:
        """Return by how many MiB an hour the settled samples rise."""
        return linear_regression(*self.settled(whole_s)).slope * HOUR_S

    def is_flat(self, whole_s: float) -> bool:
        """Tell whether what it grew by is within the bounds."""
        at, mib = self.settled(whole_s)
        rose = self.per_hour(whole_s)
        return rose <= PER_HOUR_MIB or rose * (at[-1] - at[0]) / HOUR_S <= SHARE * mib[0]


def main(arguments: list[str] | None = None) -> int:
    """Search, sample, print, optionally write; 0 when all stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.harness.memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15, help="how long to search (default 15)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    for sdk in SDKS:
        ensure(ALL[sdk])
    whole_s = options.minutes * 60
    code, sizes = sampled(whole_s)
    grown = [
        f"MISSED: {size.name} grows by {size.per_hour(whole_s):.1f} MiB an hour" for size in sizes if not size.is_flat(whole_s)
    ]
    complaints = [*grown, *([] if code in ENDED_WELL else [f"MISSED: the search ended with exit code {code}"])]
    text = report(sizes, whole_s)
    sys.stdout.write("\n".join([text, *complaints, ""]))
    if options.write:
        page.write("harness-memory", text)
    return 1 if complaints else 0


def sampled(whole_s: float) -> tuple[int, list[Size]]:
    """Let the suite search for so long; return its exit code and what each process took."""
    sizes: dict[str, Size] = {}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "harness", "run", "--subjects", ",".join(SUBJECTS), "--seconds", f"{whole_s:g}"]
        places = ["--lanes", str(LANES), "--corpus", f"{folder}/corpus", "--state", f"{folder}/state", "--quiet"]
        process = subprocess.Popen([*command, *places], cwd=ROOT, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        while process.poll() is None and time.monotonic() - started < whole_s + GRACE_S:
            for name, mib in resident(process.pid).items():
                size = sizes.setdefault(name, Size(name=name))
                size.at_s.append(time.monotonic() - started)
                size.mib.append(mib)
            time.sleep(EVERY_S)  # a sample is a matter of time, there is no event
        process.kill()
        return process.wait(), list(sizes.values())


def resident(root: int) -> dict[str, float]:
    """Return resident MiB by name, of a process and all that it started; what ends meanwhile counts as nothing."""
    found: dict[str, float] = {}
    for pid in tree(root):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
        name = "harness" if pid == root else next((name for word, name in NAMES.items() if word in words), "other")
        found[name] = found.get(name, 0.0) + pages * 4096 / 1024 / 1024
    return found


def report(sizes: Sequence[Size], whole_s: float) -> str:
    """Return the table as Markdown."""
    rows = []
    for size in sizes:
        _, mib = size.settled(whole_s)
        rows.append((
            size.name, f"{len(mib)}", f"{mib[0]:.1f}", f"{mib[-1]:.1f}", f"{max(mib):.1f}", f"{size.per_hour(whole_s):+.1f}",
        ))  # fmt: skip
    return "\n".join([
        f"`flags-harness run` over {', '.join(SUBJECTS)}, {whole_s / 60:g} minutes; every {EVERY_S:g} s, first third left out.",
        f"Machine: {page.machine('msgspec')}. Mark: at most {PER_HOUR_MIB:g} MiB an hour, or a twentieth of the size in all.",
        "",
        page.table(("process", "samples", "first MiB", "last MiB", "highest MiB", "MiB/hour"), rows),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
