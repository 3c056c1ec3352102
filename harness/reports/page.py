"""The outcome as one HTML file that needs nothing else: what ran, a matrix, and every cause with a program per language.

All text from definitions, people and subjects is escaped; the page has no script and loads nothing.
"""

from __future__ import annotations

from html import escape
from typing import Final

from harness.known import Known
from harness.search.state import Finding

from .languages import programs
from .outcome import Outcome
from .texts import reproducer, rows

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:left}"
    ".new{background:#fdd}.known{background:#eee}pre{background:#f5f5f5;padding:.6rem;overflow:auto;font-size:13px}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}.new{background:#622}.known{background:#333}"
    "pre{background:#222}}"
)


def page(outcome: Outcome) -> str:
    """Return the page."""
    verdict = "They agree, apart from what is known." if outcome.is_good else f"{len(outcome.new)} causes are unexplained."
    body = [
        f"<h1>Flag consistency</h1><p>{escape(verdict)}</p>",
        _table(("subject", "version", "decided", "declined", "known", "new"), rows(outcome)),
        _how(outcome),
        "<h2>Matrix</h2>", _matrix(outcome),
        "<h2>Findings</h2>", *(_finding(finding, None) for finding in outcome.new),
        "<h2>Known divergences met</h2>", *(_finding(one.finding, one.known) for one in outcome.seen),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><title>Flag consistency</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _how(outcome: Outcome) -> str:
    done = f"{outcome.replayed} reproducers replayed, {outcome.pairs} pairs in {outcome.batches} batches"
    return f"<p>{done}, level {escape(outcome.level)}. Repeat: <code>{escape(outcome.repeat())}</code></p>"


def _table(header: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    titles = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    content = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><tr>{titles}</tr>{content}</table>"


def _matrix(outcome: Outcome) -> str:
    subjects, lines = outcome.matrix()
    titles = "".join(f"<th>{escape(subject)}</th>" for subject in subjects)
    content = "".join(
        f"<tr><td>{escape(feature)}</td>" + "".join(f'<td class="{mark}">{mark}</td>' for mark in marks) + "</tr>"
        for feature, marks in lines
    )
    return f"<table><tr><th>feature</th>{titles}</tr>{content}</table>"


def _finding(finding: Finding, known: Known | None) -> str:
    why = "" if known is None else f"<p><b>{escape(known.id)}</b>: {escape(known.why)} ({escape(known.evidence)})</p>"
    told = escape("\n".join(reproducer(finding)))
    shown = "".join(
        f"<details><summary>{language}</summary><pre>{escape(program)}</pre></details>"
        for language, program in programs(finding.specimen).items()
    )
    return f"<h3>{escape(str(finding.cause))}</h3>{why}<pre>{told}</pre>{shown}"
