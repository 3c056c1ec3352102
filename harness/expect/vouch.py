"""Who vouches for an answer: the reference always, an SDK's evaluator where it decides locally and says the same.

An SDK that says something else is either a known divergence, which takes nothing from the reference's answer, or a dispute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from harness.aimed.oracle import Said
from harness.aimed.project import reduced
from harness.case import Document, Person
from harness.check.findings.explain import Met, explained
from harness.compare import Kind, compare
from harness.known import Register
from harness.search.cause import Cause, Specimen, features
from harness.search.state import Finding
from harness.subjects.protocol import Status, Verdict

from .book import Entry, Expected

REFERENCE = "reference"
_SERVER_SIDE = {"geoip_disable": True, "evaluation_runtime": "all"}
"""What makes a request independent of who sends it, and from where."""


class Vouching:
    """Holds answers against each other, one voucher after the other, for one document."""

    def __init__(self, document: Document, register: Register, clock: Callable[[], datetime]) -> None:
        self.disputes: dict[Cause, Finding] = {}
        self.known: dict[str, int] = {}
        self._document, self._register, self._clock = document, register, clock

    def entry(self, person: Person, said: Said, others: Mapping[str, Mapping[str, Verdict]]) -> Entry:
        """Return one person's line.

        Args:
            person: As the request carries it.
            said: The reference's answers.
            others: Voucher → flag → its answer.
        """
        flags: dict[str, Expected] = {}
        disputed: list[str] = []
        unsaid = list(said.excused)
        for key, ours in said.answers.items():
            if ours.status is not Status.VALUE:
                unsaid.append(key)
                continue
            agreeing = [name for name, answers in others.items() if compare(ours, answers.get(key)) is Kind.AGREE]
            against = [name for name, answers in others.items() if compare(ours, answers.get(key)).is_difference]
            disputes = [self._is_disputed(person, key, name, ours, others[name].get(key)) for name in against]
            if any(disputes):
                disputed.append(key)
            else:
                flags[key] = Expected(ours.value, ours.payload, "+".join((REFERENCE, *agreeing)))
        return Entry({**person, **_SERVER_SIDE}, flags, tuple(sorted(unsaid)), tuple(sorted(disputed)))

    def _is_disputed(self, person: Person, key: str, name: str, ours: Verdict, theirs: Verdict | None) -> bool:
        why = explained(self._document, key, [Met(person, theirs)], self._clock)
        specimen = Specimen(reduced(self._document, key), person, key)
        cause = Cause(REFERENCE, name, compare(ours, theirs).value, *(features(specimen) if why is None else why[1]))
        claimant = self._register.claimant(cause)
        if claimant is not None:
            self.known[claimant.id] = self.known.get(claimant.id, 0) + 1
            return False
        if cause in self.disputes:
            self.disputes[cause].count += 1
        else:
            told = f"flag {key!r}: " + ("nothing simple explains it" if why is None else f"as if {why[0]}")
            self.disputes[cause] = Finding(cause, specimen, ours, theirs, told)
        return True


def told(vouching: Vouching) -> list[str]:
    """Return disputes and known divergences in lines."""
    lines = [f"  {count} × {name} (known divergence: the reference's answer stands)" for name, count in vouching.known.items()]
    for finding in vouching.disputes.values():
        lines += [f"DISPUTED  {finding.cause}  ×{finding.count}", f"  {finding.detail}"]
    return lines
