"""Judges one person's answers: each flag compared, excused with a reason, or different; and keeps what is not yet sure.

What was compared since the definitions were last seen unchanged is provisional: if they changed, it is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from harness.aimed.oracle import CLOCK, Oracle, Said
from harness.case import Person
from harness.compare import Kind, compare
from harness.search.panel import Tally
from harness.subjects.protocol import Verdict

from .asking.server import Answer

REFERENCE = "reference"
OTHER_VERSION = "another version of the flag answered"
NOT_LISTED = "answered, but not in the definitions"


class Difference(msgspec.Struct, frozen=True):
    """One flag of one person on which two disagree."""

    base: str
    subject: str
    kind: str
    key: str
    person: Person
    base_answer: Verdict | None
    subject_answer: Verdict | None


class Ledger:
    """What was compared, and what differs.

    Attributes:
        tally: Pairs and how they related, by subject.
        excused: Reason → pairs that were not compared.
        differences: Those seen while the definitions did not change.
    """

    def __init__(self, server: str, *, with_reasons: bool) -> None:
        self.tally = Tally()
        self.excused: Counter[str] = Counter()
        self.differences: list[Difference] = []
        self.fresh: list[Difference] = []
        self._server, self._with_reasons = server, with_reasons
        self._counts: list[tuple[str, str]] = []
        self._reasons: list[str] = []

    def take(self, oracle: Oracle, person: Person, answer: Answer, sdks: Mapping[str, Mapping[str, Verdict]]) -> None:
        """Take one person's answers in, provisionally."""
        said = oracle.ask(person)
        self._reasons += [NOT_LISTED] * len(answer.flags.keys() - oracle.versions.keys())
        for key in oracle.keys:
            reason = excuse(oracle, said, answer, key)
            if reason is not None:
                self._reasons.append(reason)
            for base, subject, ours, theirs in pairings(self._server, said, answer, sdks, key, reason):
                kind = compare(ours, theirs)
                self._counts.append((subject, kind.value))
                if kind.is_difference and (kind is not Kind.REASON or self._with_reasons):
                    self.fresh.append(Difference(base, subject, kind.value, key, person, ours, theirs))

    def confirm(self) -> None:
        """The definitions did not change: what was provisional stands."""
        for subject, kind in self._counts:
            self.tally.count(subject, kind)
        self.tally.pairs += sum(subject == self._server for subject, _ in self._counts)
        self.excused.update(self._reasons)
        self.differences += self.fresh
        self._forget()

    def drop(self) -> int:
        """The definitions changed: forget what was provisional; return how many pairs that were."""
        pairs = len(self._counts)
        self._forget()
        return pairs

    def _forget(self) -> None:
        self.fresh, self._counts, self._reasons = [], [], []


def excuse(oracle: Oracle, said: Said, answer: Answer, key: str) -> str | None:
    """Return why nothing can be said about the server's answer for a flag, if so."""
    version = answer.versions.get(key)
    if version is not None and version != oracle.versions[key]:
        return OTHER_VERSION
    return said.excused.get(key)


def pairings(
    server: str, said: Said, answer: Answer, sdks: Mapping[str, Mapping[str, Verdict]], key: str, reason: str | None
) -> Iterator[tuple[str, str, Verdict | None, Verdict | None]]:
    """Yield base, subject and their answers: the reference and the server, the server and each SDK.

    Where the server agrees with the reference, an SDK's difference is one from the reference as well, and known as such.
    """
    theirs = answer.flags.get(key)
    agrees = False
    if reason is None:
        ours = said.answers.get(key)
        agrees = not compare(ours, theirs).is_difference
        yield REFERENCE, server, ours, theirs
    if reason in {OTHER_VERSION, CLOCK}:
        return
    for name, verdicts in sdks.items():
        yield REFERENCE if agrees else server, name, theirs, verdicts.get(key)
