"""A search's outcome as JUnit XML: one suite, one test case a cause, in the shape that CI servers have agreed on.

New causes fail, known ones pass; an entry past its day fails, for it forgives nothing any more; a vanished one passes and says
so.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import NamedTuple

from .outcome import Outcome
from .texts import reproducer


class Case(NamedTuple):
    """One test case; with a trouble it failed, without it passed and its text is what it has to say."""

    group: str
    name: str
    text: str = ""
    trouble: str | None = None


def junit(outcome: Outcome) -> bytes:
    """Return the file."""
    cases = _cases(outcome)
    failures = sum(case.trouble is not None for case in cases)
    suite = ET.Element(
        "testsuite", name="flags-harness", tests=f"{len(cases)}", failures=f"{failures}", errors="0", skipped="0",
        time=f"{outcome.seconds:.3f}",
    )  # fmt: skip
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(outcome):
        ET.SubElement(properties, "property", name=name, value=printable(value))
    for case in cases:
        _write(suite, case)
    written: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def printable(text: str) -> str:
    """Return text without the characters that XML cannot carry."""
    return "".join(
        c if c in "\t\n" or (" " <= c < "\ud800") or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "�" for c in text
    )


def _cases(outcome: Outcome) -> list[Case]:
    cases = [Case(one.name, f"took part at version {one.version}") for one in outcome.took]
    cases += [Case(one.finding.cause.subject, f"known: {one.known.id}", one.known.why) for one in outcome.seen]
    cases += [
        Case(one.cause.subject, str(one.cause), "\n".join(reproducer(one)), f"{one.cause.kind} divergence")
        for one in outcome.new
    ]
    cases += [
        Case("register", f"expired: {known.id}", f"expired on {known.expires}", "expired entry") for known in outcome.expired
    ]
    cases += [Case(subject, f"vanished: {name}", "no longer shows: take it out") for name, subject in outcome.vanished]
    if outcome.crowded_out:
        cases.append(Case("search", "room for all findings", f"{outcome.crowded_out} were only counted", "no room"))
    return cases


def _properties(outcome: Outcome) -> list[tuple[str, str]]:
    figures = {name: f"{getattr(outcome, name)}" for name in ("seed", "level", "zone", "batches", "pairs", "replayed")}
    return [*figures.items(), ("repeat", outcome.repeat())]


def _write(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", classname=printable(case.group), name=printable(case.name), time="0")
    if case.trouble:
        failure = ET.SubElement(element, "failure", message=printable(case.name), type=printable(case.trouble))
        failure.text = printable(case.text)
    elif case.text:
        ET.SubElement(element, "system-out").text = printable(case.text)
