"""A search's outcome as plain lines: for the terminal, and as Markdown for a pull request. Also JSON."""

from __future__ import annotations

import json
import re

import msgspec

from harness.search.state import Finding
from harness.subjects.protocol import Status, Verdict

from .outcome import DECLINES, Outcome

SHOWN = 12


def terminal(outcome: Outcome) -> str:
    """Return what a person at a terminal reads."""
    lines = [*_ran(outcome), "", *_counts(outcome)]
    if outcome.seen:
        lines += ["", f"known divergences met: {len(outcome.seen)}"]
        lines += [
            f"  {one.known.id}  {one.finding.cause.subject}  ×{one.finding.count}  {one.known.why}" for one in outcome.seen
        ]
    lines += [f"VANISHED  {name} no longer shows on {subject}: take it out" for name, subject in outcome.vanished]
    lines += [f"EXPIRES   {known.id} on {known.expires}: look again" for known in outcome.expiring]
    lines += [f"EXPIRED   {known.id} on {known.expires}: it forgives nothing any more" for known in outcome.expired]
    if outcome.new:
        lines += ["", f"FINDINGS: {len(outcome.new)}"]
        lines += [line for finding in outcome.new[:SHOWN] for line in ("", *reproducer(finding))]
        if len(outcome.new) > SHOWN:
            lines.append(f"… and {len(outcome.new) - SHOWN} more (--json, --html have them all)")
    if outcome.crowded_out:
        lines += ["", f"FOUND NO ROOM: {outcome.crowded_out} more findings were only counted; explain these first"]
    return "\n".join([*lines, "", f"repeat: {outcome.repeat()}"])


def reproducer(finding: Finding) -> list[str]:
    """Return a finding in lines: the cause, both answers, the definitions and the person."""
    encode = msgspec.json.encode
    specimen = finding.specimen
    lines = [f"{finding.cause}  ×{finding.count}"]
    if finding.detail:
        lines.append(f"  {finding.detail}")
    return [
        *lines,
        f"  {finding.cause.base} says {said(finding.base_answer)}, {finding.cause.subject} says {said(finding.subject_answer)}",
        f"  definitions {encode(specimen.definitions).decode()}",
        f"  person      {encode(specimen.person).decode()}",
    ]


def said(verdict: Verdict | None) -> str:
    """Return an answer in a few characters."""
    if verdict is None:
        return "nothing"
    if verdict.status is not Status.VALUE:
        return verdict.status.value
    value = json.dumps(verdict.value, ensure_ascii=False)
    return value if verdict.payload is None else f"{value} with payload {json.dumps(verdict.payload, ensure_ascii=False)}"


def markdown(outcome: Outcome) -> str:
    """Return a comment for a pull request; the first findings with their reproducers, folded."""
    verdict = "agree, apart from what is known" if outcome.is_good else f"{len(outcome.new)} unexplained"
    lines = [
        f"## Flag consistency: {verdict}",
        "",
        "| subject | version | decided | declined | known | new |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows(outcome)]
    for title, findings in (("New", outcome.new), ("Known", [one.finding for one in outcome.seen])):
        if findings:
            lines += ["", f"### {title}", ""]
            lines += [
                f"- {code(str(finding.cause))} — {code(said(finding.base_answer))} / {code(said(finding.subject_answer))}"
                for finding in findings
            ]
    lines += [line for finding in outcome.new[:SHOWN] for line in _folded(finding)]
    lines += ["", *_warnings(outcome)]
    return "\n".join([*lines, "", code(outcome.repeat()), ""])


def code(text: str) -> str:
    """Return a text as Markdown code in one line, whatever is in it."""
    line = re.sub(r"\s", " ", text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence}{line}{fence}" if len(fence) == 1 else f"{fence} {line} {fence}"


def _folded(finding: Finding) -> list[str]:
    text = "\n".join(reproducer(finding))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return ["", "<details><summary>Reproducer</summary>", "", fence, text, fence, "</details>"]


def _warnings(outcome: Outcome) -> list[str]:
    lines = [f"- vanished: {code(name)} on {code(subject)}: take it out" for name, subject in outcome.vanished]
    lines += [f"- expired: {code(known.id)} on {known.expires}: it forgives nothing any more" for known in outcome.expired]
    lines += [f"- expires: {code(known.id)} on {known.expires}: look again" for known in outcome.expiring]
    return lines + ([f"- no room for {outcome.crowded_out} more findings"] if outcome.crowded_out else [])


def as_json(outcome: Outcome) -> bytes:
    """Return everything; `docs/flags-harness.schema.json` describes it."""
    return msgspec.json.format(msgspec.json.encode(outcome), indent=1) + b"\n"


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Return subject, version, decided, declined, known, new; one row a subject that took part."""
    table: list[tuple[str, ...]] = []
    for one in outcome.took:
        if one.is_base:
            table.append((one.name, one.version, "base", "", "", ""))
            continue
        declined = sum(outcome.kinds.get(one.name, {}).get(kind, 0) for kind in DECLINES)
        known = sum(seen.finding.cause.subject == one.name for seen in outcome.seen)
        new = sum(finding.cause.subject == one.name for finding in outcome.new)
        table.append((one.name, one.version, f"{outcome.decided(one.name)}", f"{declined}", f"{known}", f"{new}"))
    return table


def _ran(outcome: Outcome) -> list[str]:
    header = ("subject", "version", "decided", "declined", "known", "new")
    table = [header, *rows(outcome)]
    widths = [max(len(row[n]) for row in table) for n in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _counts(outcome: Outcome) -> list[str]:
    return [
        outcome.done(),
        *(
            f"{subject}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            for subject, kinds in outcome.kinds.items()
        ),
    ]
