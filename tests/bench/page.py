"""The generated parts of docs/benchmarks.md: each benchmark owns the lines between its two markers and nothing else."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from .children import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, padded so that it also reads on a terminal; the first column is text, the others figures."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in (head, rule, *rows))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "| " + " | ".join([first, *rest]) + " |"


def machine(*packages: str) -> str:
    """Describe the machine in general terms: processor, cores, system, Python and the packages that matter."""
    system = f"{platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{os.cpu_count()} cores ({_processor()}), {system}, {python}" + (f", {named}" if named else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def write(section: str, text: str, *, target: Path = PAGE) -> None:
    """Replace what stands between the section's markers; a page without them is an error, not a place to guess."""
    begin, end = f"<!-- {section}:begin -->\n", f"<!-- {section}:end -->"
    head, found, rest = target.read_text().partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"docs/benchmarks.md lacks the markers of section {section!r}")
    target.write_text(f"{head}{begin}{text.strip()}\n{end}{tail}")
