"""The outcome as one HTML file that needs nothing else: what ran, a matrix, and every cause with a program per language.

All text from definitions, people and subjects is escaped; the page has no script, loads nothing, and says so to the browser.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from harness.known import Known
from harness.search.state import Finding

from .junit import printable
from .languages import programs
from .outcome import Outcome
from .texts import rows, said
from .triage import entry

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root{color-scheme:light dark;--line:#c8c8c8;--soft:#f4f4f4;--bad:#fbd9d9;--good:#dcf2dc;--mild:#ececec}
@media(prefers-color-scheme:dark){:root{--line:#444;--soft:#222;--bad:#5c2020;--good:#1f4420;--mild:#333}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid var(--line);padding:.2rem .6rem;text-align:left}
.wide{overflow-x:auto}.matrix td:not(:first-child){text-align:center}
.verdict{padding:.6rem 1rem;border-radius:.3rem;font-weight:600}.new,.bad{background:var(--bad)}.good{background:var(--good)}
.known{background:var(--mild)}pre{background:var(--soft);padding:.6rem;overflow:auto;font-size:13px;max-height:30rem}
article{border:1px solid var(--line);border-radius:.3rem;margin:1rem 0;padding:.2rem 1rem}h3{font-size:1rem}
summary{cursor:pointer}.pair{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr))}
code{overflow-wrap:anywhere}:target{outline:2px solid}
"""
_LANGUAGES: Final = {
    "python": "Python",
    "node": "JavaScript",
    "go": "Go",
    "rust": "Rust",
    "java": "Java",
    "lines": "protocol lines",
}


def page(outcome: Outcome) -> str:
    """Return the page."""
    body = [
        f"<h1>Flag consistency</h1>{_verdict(outcome)}",
        _table(("subject", "version", "decided", "declined", "known", "new"), rows(outcome)),
        _how(outcome), _warnings(outcome),
        "<h2>Matrix</h2>", _matrix(outcome),
        "<h2>Findings</h2>", *(_finding(f"new-{n}", one, None) for n, one in enumerate(outcome.new)),
        "" if outcome.new else "<p>None.</p>",
        "<h2>Known divergences met</h2>",
        *(_finding(f"known-{n}", one.finding, one.known) for n, one in enumerate(outcome.seen)),
        "" if outcome.seen else "<p>None.</p>",
    ]  # fmt: skip
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width"><title>Flag consistency</title>'
    )
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{"".join(body)}</body></html>\n'


def _shown(text: str) -> str:
    return escape(printable(text))


def _verdict(outcome: Outcome) -> str:
    if outcome.is_good:
        return '<p class="verdict good">They agree, apart from what is known.</p>'
    wrong = [f"{len(outcome.new)} causes are unexplained"] if outcome.new else []
    wrong += [f"{len(outcome.expired)} known divergences are past their day"] if outcome.expired else []
    wrong += [f"{outcome.crowded_out} findings had no room"] if outcome.crowded_out else []
    return f'<p class="verdict bad">{", ".join(wrong)}.</p>'


def _how(outcome: Outcome) -> str:
    return f"<p>{_shown(outcome.done())}, seed {outcome.seed}. Repeat: <code>{_shown(outcome.repeat())}</code></p>"


def _warnings(outcome: Outcome) -> str:
    lines = [f"{name} no longer shows on {subject}: take it out" for name, subject in outcome.vanished]
    lines += [f"{known.id} was to be looked at again by {known.expires}" for known in outcome.expired]
    lines += [f"{known.id} is to be looked at again by {known.expires}" for known in outcome.expiring]
    return f"<ul>{''.join(f'<li>{_shown(line)}</li>' for line in lines)}</ul>" if lines else ""


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{_shown(cell)}</th>" for cell in header)
    content = "".join("<tr>" + "".join(f"<td>{_shown(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f'<div class="wide"><table><tr>{titles}</tr>{content}</table></div>'


def _matrix(outcome: Outcome) -> str:
    """Return feature by subject; a mark leads to the first finding it stands for."""
    found = [(f"known-{n}", one.finding.cause) for n, one in enumerate(outcome.seen)]
    found += [(f"new-{n}", finding.cause) for n, finding in enumerate(outcome.new)]
    places = {(place.partition("-")[0], cause.feature, cause.subject): place for place, cause in reversed(found)}
    subjects, lines = outcome.matrix()
    titles = "".join(f"<th>{_shown(subject)}</th>" for subject in subjects)

    def cell(mark: str, feature: str, subject: str) -> str:
        place = places.get((mark, feature, subject), "")
        return f'<td class="{mark}"><a href="#{place}">{mark}</a></td>' if mark else "<td></td>"

    content = "".join(
        f"<tr><td>{_shown(feature)}</td>"
        + "".join(cell(mark, feature, subject) for mark, subject in zip(marks, subjects, strict=True))
        + "</tr>"
        for feature, marks in lines
    )
    return f'<div class="wide"><table class="matrix"><tr><th>feature</th>{titles}</tr>{content}</table></div>'


def _finding(place: str, finding: Finding, known: Known | None) -> str:
    cause, specimen = finding.cause, finding.specimen
    answers = [(cause.base, said(finding.base_answer)), (cause.subject, said(finding.subject_answer))]
    parts = [
        f'<article id="{place}"><h3>{_shown(str(cause))} <small>×{finding.count}</small></h3>',
        _understood(known),
        f"<p>{_shown(finding.detail)}</p>" if finding.detail else "",
        _table(("who", "answer"), answers),
        f'<div class="pair"><div>Person<pre>{_json(specimen.person)}</pre></div>',
        f"<div>Definitions<pre>{_json(specimen.definitions)}</pre></div></div>",
        *(_details(_LANGUAGES.get(name, name), program) for name, program in programs(specimen).items()),
        "" if known else _details("entry for known divergences, to be finished", "\n".join(entry(finding))),
        "</article>",
    ]
    return "".join(parts)


def _understood(known: Known | None) -> str:
    if known is None:
        return ""
    who = "the contract is silent" if known.deviates == "nobody" else f"{known.deviates} deviates"
    return f"<p><b>{_shown(known.id)}</b>, {_shown(who)}: {_shown(known.why)} <i>({_shown(known.evidence)})</i></p>"


def _details(title: str, text: str) -> str:
    return f"<details><summary>{_shown(title)}</summary><pre>{_shown(text)}</pre></details>"


def _json(content: Any) -> str:
    return _shown(json.dumps(content, indent=1, ensure_ascii=False))
