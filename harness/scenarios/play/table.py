"""The figures of performances as a table, and its own section of docs/outages.md, which everything else leaves alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from .figures import LOAD_RATIO, NORMAL_S, SLOWER, TRIP_S, Figures
from .script import Plan

COMMAND: Final = "python -m harness.scenarios play --write docs/outages.md"
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"

_TITLES: Final = (
    "scenario",
    "known: answers",
    "failed",
    "wrong",
    "others: answers",
    "no flags",
    "wrong",
    "as said",
    f"tripped after (≤ {TRIP_S:g} s)",
    "open for",
    f"load while open (≤ {LOAD_RATIO:.0%})",
    f"normal after (≤ {NORMAL_S:g} s)",
    f"p99 open ÷ fresh hit (≤ {SLOWER:g})",
    "missed",
)


class Row(msgspec.Struct, frozen=True):
    """One performance."""

    id: str
    figures: Figures
    complaints: Sequence[str]


def section(rows: Sequence[Row], plan: Plan) -> str:
    """Return the section, its markers included."""
    model = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    lines = (
        BEGIN,
        "## Measured\n",
        f"Written by `{COMMAND}` (`make slow`): {plan.rate:g} requests per second whatever becomes of them,",
        f"service and generator on one core, the proxy's {plan.workers} workers on another ({model}); each scenario",
        f"compressed to {plan.fault_s:g} s. Definitions change four times meanwhile, one flag fades to 0 %, one is switched",
        "off. *Known* keys were answered before the fault; *others* ask for the first time. *Wrong* is what the un-faulted",
        "service neither says at that time nor, where the label gives an age, said so long before. *As said* is the faulty",
        "service's own untruth, word for word, given as a good answer where nothing at hand could tell: outdated flags while",
        "the definitions stand still too, and an emptied answer to somebody never seen before. Where the service is slow and",
        "no definitions are held, strangers wait for it in a small lane on purpose: almost one answer in a hundred, so that",
        "p99 while open stands on the worst few of the others there.",
        "",
        _row(_TITLES),
        _row("---" for _ in _TITLES),
        *(_row(_cells(row)) for row in rows),
        END,
    )
    return "\n".join(lines)


def _cells(row: Row) -> Sequence[str]:
    found = row.figures
    return (
        row.id,
        f"{found.known}",
        f"{found.known_failed}",
        f"{len(found.wrong_known)}",
        f"{found.strangers}",
        f"{found.strangers_failed}",
        f"{len(found.wrong_strangers)}",
        f"{found.as_said}",
        _number(found.trip_s, "{:.1f} s"),
        _number(found.open_s or None, "{:.0f} s"),
        _number(found.load_ratio, "{:.1%}"),
        f"{found.normal_s:.1f} s",
        _ratio(found),
        "; ".join(row.complaints) or "–",
    )


def _ratio(found: Figures) -> str:
    if found.open_p99_s is None or found.hit_p99_s is None:
        return "–"
    return f"{found.open_p99_s / found.hit_p99_s:.1f} ({found.open_p99_s * 1000:.0f} ÷ {found.hit_p99_s * 1000:.0f} ms)"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def measured_in(text: str) -> str:
    """Return the measured section of a page; "" without one."""
    start, end = text.find(BEGIN), text.find(END)
    return text[start : end + len(END)] if 0 <= start < end else ""


def with_measured(text: str, measured: str) -> str:
    """Return a page with another measured section, or with its first."""
    held = measured_in(text)
    return text.replace(held, measured) if held else f"{text}\n{measured}\n"
