"""One check: definitions fetched, marked people asked about, differences asked about again, made small and explained.

Nothing counts that was compared while the definitions changed, and nothing is a finding that did not show twice, unless the
budget was used up before it could be asked about again: then it says so.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any, Final

import msgspec

from harness.aimed.oracle import Oracle
from harness.aimed.population import Population
from harness.aimed.project import reduced
from harness.case import Person
from harness.compare import compare
from harness.search.cause import Cause, Specimen, features
from harness.search.state import Finding
from harness.subjects.child import Child
from harness.subjects.protocol import Reply, Verdict, evaluate
from reference.definitions.errors import DefinitionsError

from .asking.budget import DEFINITIONS_COST, Spent, Stopped
from .asking.server import Definitions, Server
from .findings.explain import Met, explained
from .findings.narrow import narrowed
from .pairs import Difference, Ledger, excuse, pairings

MARK: Final = "holdfast-check-"
BATCH: Final = 25
"""People between two looks at the definitions; a look that finds nothing new is free."""
CHANGES: Final = 3
ASKED_SHARE: Final = 0.75
"""Of the budget; the rest is for asking again about what differs."""
NOT_AGAIN: Final = "differences that did not show a second time"
DROPPED: Final = "pairs dropped because the definitions changed"
FLAGS_CHANGED: Final = "times the definitions changed"
NOT_NARROWED: Final = "not asked about again: the budget of requests was used up"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to check.

    Attributes:
        seed: The same seed asks the same questions of the same definitions on the same day.
        with_reasons: Count differing reasons as differences.
        timezone: The team's, where it is known.
    """

    seed: int = 1
    with_reasons: bool = False
    timezone: str | None = None


class Session:
    """One check of one server.

    Attributes:
        server: Its name in reports: scheme, host and port.
        ledger: What was compared.
        findings: One a cause.
        notes: What else to tell, with how often.
        people: How many were asked about.
        stopped: Why the check ended early; None where it did not.
    """

    def __init__(self, server: Server, options: Options, sdks: Sequence[Child], clock: Callable[[], datetime]) -> None:
        self.server = server.name
        self.ledger = Ledger(server.name, with_reasons=options.with_reasons)
        self.findings: dict[Cause, Finding] = {}
        self.notes: Counter[str] = Counter()
        self.people = 0
        self.stopped: str | None = None
        self._server, self._options, self._sdks, self._clock = server, options, sdks, clock
        self._definitions: Definitions
        self._oracle: Oracle
        self._source: Iterator[Person] = iter(())

    async def run(self, progress: Callable[[Session], Any] = lambda _: None) -> None:
        """Check until the budget is used up; what was found so far stays found when the server stops answering."""
        try:
            await self._adopt(await self._first())
            await self._ask(int((self._server.budget.left - DEFINITIONS_COST) * ASKED_SHARE), progress)
            await self._settle(progress)
        except Stopped as reason:
            self.stopped = f"{reason}"
            self.ledger.drop()

    async def _first(self) -> Definitions:
        first = await self._server.definitions()
        if first is None:
            raise Stopped("304 to a request without a condition: something between us and the server keeps answers")
        return first

    async def _ask(self, most: int, progress: Callable[[Session], Any]) -> None:
        """Ask about so many people at most; what looking at the definitions costs comes off that, not off the rest."""
        budget = self._server.budget
        rest = budget.left - most
        with contextlib.suppress(Spent):
            while (room := min(BATCH, most - self.people, budget.left - rest)) > 0:
                batch = self._people(room)
                if not batch:
                    break
                sdks = await self._local(batch)
                for n, person in enumerate(batch):
                    answer = await self._server.flags(person)
                    self.ledger.take(self._oracle, person, answer, {name: verdicts[n] for name, verdicts in sdks.items()})
                self.people += len(batch)
                await self._look()
                progress(self)
        self.ledger.drop()  # what nobody looked at the definitions after

    async def _look(self) -> bool:
        """See whether the definitions are still the same; what was provisional stands or falls with it."""
        if self._definitions.etag is None and not self.ledger.fresh:
            self.ledger.confirm()  # to look would cost as much as ten people, and nothing is at stake
            return True
        seen = await self._server.definitions(self._definitions.etag)
        if seen is None or seen.document == self._definitions.document:
            self.ledger.confirm()
            return True
        self.notes[DROPPED] += self.ledger.drop()
        self.notes[FLAGS_CHANGED] += 1
        if self.notes[FLAGS_CHANGED] >= CHANGES:
            raise Stopped("the definitions keep changing: try again when nobody edits flags")
        await self._adopt(seen)
        return False

    async def _adopt(self, definitions: Definitions) -> None:
        try:
            self._oracle = Oracle(definitions.document, clock=self._clock, timezone=self._options.timezone)
        except DefinitionsError as cause:
            raise Stopped("the definitions are not of the form that this version reads") from cause
        self._definitions = definitions
        aims = [key for key in self._oracle.keys if key not in self._oracle.excused]
        with _aimed():
            population = Population(
                definitions.document,
                seed=self._options.seed,
                mark=MARK,
                now=self._clock(),
                keys=aims or None,
                has_odd_ids=not self._sdks,  # SDKs are known not to cut long ones: that would stand before everything else
            )
        self._source = population.people(self.people)
        for child in self._sdks:
            loaded = await child.load(definitions.document)
            if not (isinstance(loaded, Reply) and loaded.ok):
                raise Stopped(f"{child.launch.name} does not survive these definitions; `flags-harness run` tells which part")

    def _people(self, count: int) -> list[Person]:
        with _aimed():
            return list(islice(self._source, count))

    async def _local(self, people: Sequence[Person]) -> dict[str, list[Mapping[str, Verdict]]]:
        found: dict[str, list[Mapping[str, Verdict]]] = {}
        for child in self._sdks:
            outcomes = await child.ask([evaluate(person) for person in people])
            found[child.launch.name] = [(one.flags or {}) if isinstance(one, Reply) else {} for one in outcomes]
        return found

    async def _settle(self, progress: Callable[[Session], Any]) -> None:
        """Turn differences into findings, one a flag and kind first, one a cause in the end."""
        for group in _groups(self.ledger.differences):
            try:
                found = await self._again_of(group)
                stands = found is not None and await self._look()
            except Spent:
                self._keep(group[0], group, NOT_NARROWED)
                continue
            if found is not None and stands:
                self._keep(found, group, "")
            progress(self)

    async def _again_of(self, group: Sequence[Difference]) -> Difference | None:
        for first in group[:2]:
            found = await self._again(first, first.person)
            if found is not None:
                return await self._narrowed(found)
        self.notes[NOT_AGAIN] += len(group)
        return None

    async def _narrowed(self, found: Difference) -> Difference:
        smallest = [found]

        async def again(person: Person) -> Difference | None:
            met = await self._again(found, person)
            smallest.extend([] if met is None else [met])
            return met

        try:
            return await narrowed(self._definitions.document, found, again)
        except Spent:
            return smallest[-1]

    async def _again(self, wanted: Difference, person: Person) -> Difference | None:
        """Ask about a person; return the same difference if it shows."""
        answer = await self._server.flags(person)
        sdks = {name: verdicts[0] for name, verdicts in (await self._local([person])).items()}
        said = self._oracle.ask(person)
        if wanted.key not in self._oracle.versions:
            return None
        reason = excuse(self._oracle, said, answer, wanted.key)
        for base, subject, ours, theirs in pairings(self._server.name, said, answer, sdks, wanted.key, reason):
            if (subject, compare(ours, theirs).value) == (wanted.subject, wanted.kind):
                return Difference(base, subject, wanted.kind, wanted.key, person, ours, theirs)
        return None

    def _keep(self, found: Difference, group: Sequence[Difference], remark: str) -> None:
        document = self._definitions.document
        met = [Met(found.person, found.subject_answer), *(Met(one.person, one.subject_answer) for one in group[1:])]
        why = explained(document, found.key, met, self._clock)
        specimen = Specimen(reduced(document, found.key), found.person, found.key)
        triple = features(specimen) if why is None else why[1]
        cause = Cause(found.base, found.subject, found.kind, *triple)
        if cause in self.findings:
            earlier = self.findings[cause]
            earlier.count += len(group)
            earlier.detail += f"; also flag {found.key!r}"
            return
        told = f"flag {found.key!r}: " + ("nothing simple explains it" if why is None else f"as if {why[0]}")
        detail = "; ".join(filter(None, (told, remark)))
        self.findings[cause] = Finding(cause, specimen, found.base_answer, found.subject_answer, detail, len(group))


@contextlib.contextmanager
def _aimed() -> Iterator[None]:
    """End the check where a flag is so odd that nobody can be made up for it: the reference reads more than can be aimed at."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as cause:
        kind = type(cause).__name__
        raise Stopped(f"people cannot be aimed at these definitions ({kind}): some flag is not of the usual form") from cause


def _groups(differences: Sequence[Difference]) -> list[list[Difference]]:
    """Group by subject, flag and kind, those first that carry least."""

    def label(one: Difference) -> tuple[str, str, str]:
        return one.subject, one.key, one.kind

    def size(one: Difference) -> int:
        return len(msgspec.json.encode(one.person))

    ordered = sorted(differences, key=lambda one: (label(one), size(one)))
    return [list(members) for _, members in groupby(ordered, label)]
