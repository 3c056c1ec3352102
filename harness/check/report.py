"""A check as the reports of every search show it, with what a check has beside: requests, excuses, notes, its own command."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from typing import NamedTuple

from harness.known import Register
from harness.reports.junit import junit
from harness.reports.outcome import Outcome, Seen, Took
from harness.reports.page import page
from harness.reports.texts import as_json, markdown, terminal
from harness.subjects.child import Child

from .findings.redact import redacted
from .pairs import REFERENCE
from .session import Session

LEVEL = "live"


class CheckOutcome(Outcome, kw_only=True):
    """The outcome of a check.

    Attributes:
        command: What starts the same check.
        requests: Billable requests sent.
        people: How many were asked about.
        excused: Reason → pairs that were not compared.
        notes: What else happened, with how often.
        stopped: Why it ended early.
    """

    command: str
    requests: int
    people: int
    excused: dict[str, int]
    notes: dict[str, int]
    stopped: str | None = None

    def done(self) -> str:
        """Return what was done, in a line."""
        return f"{self.people} people, {self.requests} billable requests, {self.pairs} pairs of a live project"

    def repeat(self) -> str:
        """Return the command that starts the same check."""
        return self.command

    def told(self) -> list[str]:
        """Return what a check has to say beside its findings, in lines."""
        pairs = sum(self.excused.values())
        lines = [f"not compared: {pairs} pairs"] if pairs else []
        lines += [f"  {count} × {reason}" for reason, count in sorted(self.excused.items(), key=lambda one: -one[1])]
        lines += [f"{count} × {note}" for note, count in sorted(self.notes.items()) if count]
        return [*lines, *([f"STOPPED: {self.stopped}"] if self.stopped else [])]


class Run(NamedTuple):
    """How a check was run: what starts it again, for how long it took, what it cost, and what may be shown."""

    command: str
    seed: int
    seconds: float
    requests: int
    show_values: bool


def outcome_of(session: Session, sdks: Sequence[Child], register: Register, run: Run) -> CheckOutcome:
    """Sum a check up."""
    names = {session.server, *(child.launch.name for child in sdks)}
    findings = [one if run.show_values else redacted(one) for one in session.findings.values()]
    claimed = [(register.claimant(finding.cause), finding) for finding in findings]
    return CheckOutcome(
        took=[
            Took(REFERENCE, version("holdfast"), is_base=True),
            Took(session.server, LEVEL, is_base=False),
            *(Took(child.launch.name, child.version, is_base=False, restarts=child.restarts) for child in sdks),
        ],
        seed=run.seed, level=LEVEL, seconds=run.seconds, zone="UTC", batches=session.people, pairs=session.ledger.tally.pairs,
        kinds={name: dict(counts) for name, counts in session.ledger.tally.kinds.items()},
        replayed=0, new=[finding for known, finding in claimed if known is None],
        seen=[Seen(known, finding) for known, finding in claimed if known is not None], vanished=[],
        expired=[known for known in register.expired() if names & set(known.subjects)],
        expiring=[known for known in register.expiring() if names & set(known.subjects)],
        command=run.command, requests=run.requests, people=session.people, excused=dict(session.ledger.excused),
        notes=dict(session.notes), stopped=session.stopped,
    )  # fmt: skip


def as_text(outcome: CheckOutcome) -> str:
    """Return what a person at a terminal reads."""
    return "\n".join([terminal(outcome), "", *outcome.told()])


def as_markdown(outcome: CheckOutcome) -> bytes:
    """Return a comment for a pull request."""
    found = [*outcome.new, *(one.finding for one in outcome.seen)]
    lines = [f"- {finding.detail}" for finding in found] + [f"- {line.strip()}" for line in outcome.told()]
    return "\n".join([markdown(outcome), *lines, ""]).encode()


def as_html(outcome: CheckOutcome) -> bytes:
    """Return one page that needs nothing else."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in outcome.told())
    return page(outcome).replace("<h2>Matrix</h2>", f"<ul>{lines}</ul><h2>Matrix</h2>", 1).encode()


def as_junit(outcome: CheckOutcome) -> bytes:
    """Return one test case a cause, and one that fails where the check ended early."""
    suite = ET.fromstring(junit(outcome))  # noqa: S314 — our own text of a moment ago
    case = ET.SubElement(suite, "testcase", classname="check", name="ran to its end")
    ET.SubElement(case, "system-out").text = "\n".join(outcome.told())
    if outcome.stopped:
        ET.SubElement(case, "error", message=outcome.stopped)
        suite.set("errors", "1")
    suite.set("tests", f"{len(suite.findall('testcase'))}")
    written: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


REPORTS = {"json": as_json, "junit": as_junit, "markdown": as_markdown, "html": as_html}
"""Option → what renders it."""
