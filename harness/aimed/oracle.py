"""What a server must answer about a marked person, as the reference has it; and what cannot be said from definitions alone.

A server knows that nothing is stored about somebody it never met, so what was not sent is unset. It also knows what definitions
leave out: static and behavioural cohorts, the team's time zone, stored identities of continuity flags. A flag whose answer may
hang on such a thing is *excused*, with the reason, never compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from harness.case import Document, Person
from harness.subjects.protocol import Status, Verdict
from reference.context import Context
from reference.definitions.model import FilterType, Flag
from reference.definitions.parse import parse_definitions
from reference.evaluate import Program, compile_definitions
from reference.outcome import Outcome
from reference.outcome import Status as OutcomeStatus

from .project import nested

ZONES: Final = ("Etc/GMT+12", "UTC", "Etc/GMT-14")
"""The first, the middle and the last zone of the earth: a date that they all place alike is placed so everywhere."""
LEEWAY: Final = timedelta(minutes=10)
"""How far a server's clock, or its answer, may be from ours."""

CONTINUITY: Final = "experience continuity"
COHORT: Final = "static or unknown cohort"
METADATA: Final = "person metadata"
FORMAT: Final = "another configuration format"
ZONE: Final = "the team's time zone is not known"
CLOCK: Final = "close to the edge of a relative date"
DEPENDENCY: Final = "depends on such a flag"


class Said(NamedTuple):
    """Answers by flag key, and the flags that nothing is said about, with the reason."""

    answers: Mapping[str, Verdict]
    excused: Mapping[str, str]


class Oracle:
    """The reference in a server's position, for one document.

    Attributes:
        keys: All flags of the document.
        excused: Flags excused whoever asks, with the reason.
        versions: Flag → its own version counter.
    """

    def __init__(
        self, document: Document, *, clock: Callable[[], datetime], timezone: str | None = None, leeway: timedelta = LEEWAY
    ) -> None:
        """Compile the document.

        Args:
            document: What `/flags/definitions` answers.
            clock: Aware datetimes; relative dates count from them.
            timezone: The team's, where the caller knows it.
            leeway: Answers hold from so long ago until so long from now.

        Raises:
            DefinitionsError: the document as a whole is none.
        """
        definitions = parse_definitions(document)
        self._program: Program = compile_definitions(definitions)
        self._clock, self._leeway = clock, leeway
        self._zones = ZONES if timezone is None else (timezone,)
        self.keys = tuple(flag.key for flag in definitions.flags)
        self.versions = {flag.key: flag.version for flag in definitions.flags}
        own = {flag.key: reason for flag in definitions.flags if (reason := _reason(flag, document))}
        behind = dict.fromkeys(self._program.dependents(own), DEPENDENCY)
        self.excused: Mapping[str, str] = {**behind, **own}

    def ask(self, person: Person) -> Said:
        """Answer about one person."""
        now = self._clock()
        first, *others = (self._evaluated(person, now + shift, zone) for shift, zone in self._positions())
        answers: dict[str, Verdict] = {}
        excused: dict[str, str] = {}
        for key in self.keys:
            reason = self.excused.get(key) or self._doubt(key, first, others)
            if reason:
                excused[key] = reason
            elif key in first:
                answers[key] = _verdict(first[key])
        return Said(answers, excused)

    def _positions(self) -> Iterator[tuple[timedelta, str]]:
        middle = self._zones[len(self._zones) // 2]
        yield timedelta(0), middle
        yield from ((timedelta(0), zone) for zone in self._zones if zone != middle)
        yield from ((shift, middle) for shift in (-self._leeway, self._leeway))

    def _doubt(self, key: str, first: Mapping[str, Outcome], others: Iterable[Mapping[str, Outcome]]) -> str | None:
        outcome = first.get(key)
        if outcome is not None and outcome.status is OutcomeStatus.INCONCLUSIVE:
            return (outcome.why or "inconclusive").replace("_", " ")
        of_zones = len(self._zones) - 1
        for n, other in enumerate(others):
            if _content(other.get(key)) != _content(outcome):
                return ZONE if n < of_zones else CLOCK
        return None

    def _evaluated(self, person: Person, now: datetime, zone: str) -> Mapping[str, Outcome]:
        context = Context(
            distinct_id=person["distinct_id"],
            person_properties=person.get("person_properties") or {},
            groups=person.get("groups") or {},
            group_properties=person.get("group_properties") or {},
            device_id=person.get("device_id"),
            properties_complete=True,
            timezone=zone,
        )
        return self._program.evaluate(context, now=now).outcomes


def _reason(flag: Flag, document: Document) -> str | None:
    if flag.config_version != 1:
        return FORMAT
    if flag.ensure_experience_continuity:
        return CONTINUITY
    leaves = [leaf for condition in flag.conditions for leaf in condition.properties]
    if any(leaf.type is FilterType.PERSON_METADATA for leaf in leaves):
        return METADATA
    named = [f"{leaf.value}" for leaf in leaves if leaf.type is FilterType.COHORT]
    return COHORT if _is_lacking(named, document.get("cohorts") or {}) else None


def _is_lacking(named: Iterable[str], cohorts: Mapping[str, Any]) -> bool:
    seen: set[str] = set()
    pending = list(named)
    while pending:
        cohort = pending.pop()
        if cohort in seen:
            continue
        if cohort not in cohorts:
            return True
        seen.add(cohort)
        pending += nested(cohorts[cohort])
    return False


def _verdict(outcome: Outcome) -> Verdict:
    told = {"code": str(outcome.reason), "condition_index": outcome.condition_index}
    if outcome.status is OutcomeStatus.FAILED:
        return Verdict(Status.FAILED, reason=told)
    return Verdict(Status.VALUE, outcome.value, outcome.payload, told)


def _content(outcome: Outcome | None) -> object:
    return None if outcome is None else (outcome.status, outcome.value, repr(outcome.payload))
