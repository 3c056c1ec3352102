"""Evaluates a request from the definitions held, in the position of one who knows nothing but what was sent.

A flag is found only where every completion of what is unknown gives the same answer; stored properties, stored identities,
static cohorts and, without a configured time zone, dates written without one leave it undecided. Requests that mean something
else to the service than their body says (cookieless visitors, internal ones) are not evaluated at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from reference.context import Context, Runtime, Selection
from reference.evaluate import WORK_PER_STEP, selector
from reference.json import Json
from reference.outcome import Evaluation, Outcome, Status
from reference.request.asked import device_of, selection_of
from reference.request.fields import FlagsBody, read_fields
from reference.response import Record, Refusal, record_of
from reference.steps import Steps

from .held import HeldSet
from .standing import off_flags, off_record

COOKIELESS: Final = "$posthog_cookieless"
"""Stands for many visitors: the service hashes what it sees of each (contract §2.2)."""

NESTED_BYTES: Final = 1024
"""Lists and objects among the properties of one request, as JSON; with more of them it is not evaluated here."""
ORDINARY_BYTES: Final = 2048
"""Properties up to this size cost what `WORK_PER_STEP` counts on."""

_NOTHING: Final[frozenset[str]] = frozenset()
_encode: Final = msgspec.json.Encoder().encode


class Question(msgspec.Struct, frozen=True):
    """One request as the evaluator needs it; its repr shows nothing of it.

    Attributes:
        context: Who asks.
        selection: For which flags.
        work: How many filters may stand between two pauses: fewer the longer the values that each may read.
    """

    context: Context
    selection: Selection
    work: int = WORK_PER_STEP

    @property
    def is_open_ended(self) -> bool:
        """A client asks for everything, so for survey flags too, which definitions never list (contract §4.3)."""
        return self.selection.flag_keys is None and self.selection.runtime is Runtime.CLIENT

    def asked(self) -> dict[str, Any]:
        """Return it in the form of `canary.Asked`."""
        who = self.context
        return {
            "distinct_id": who.distinct_id,
            "person_properties": who.person_properties,
            "groups": who.groups,
            "group_properties": who.group_properties,
            "device_id": who.device_id,
        }

    def __repr__(self) -> str:
        return "Question([redacted])"


class Findings(msgspec.Struct, frozen=True):
    """What the definitions say about one request.

    Attributes:
        outcomes: The flags found, those that the asked ones depend on included.
        undecided: Asked flags that upstream might give a value and that could not be found here.
    """

    outcomes: Mapping[str, Outcome]
    undecided: frozenset[str]

    def records(self) -> dict[str, Record]:
        """Return the flags found as records of an answer."""
        return {key: record_of(outcome) for key, outcome in self.outcomes.items()}


def question_of(
    fields: Mapping[str, Json], headers: Mapping[str, str], *, survey_only: bool, timezone: str | None
) -> Question | None:
    """Read a request; None for one that cannot be answered from its body.

    Args:
        fields: The body.
        headers: Header lines as they would be forwarded, looked up without regard to case.
        survey_only: The query asks for survey flags only.
        timezone: The project's, IANA name; None: not known.
    """
    body = read_fields(fields)
    if isinstance(body, Refusal) or body.override_flags_definitions is not None or body.disable_flags is True:
        return None
    distinct_id = body.identity
    work = _work(body.person_properties or {}, body.group_properties or {})
    if distinct_id is None or distinct_id == COOKIELESS or work is None:
        return None
    return Question(_context(body, distinct_id, timezone), selection_of(body, headers, survey_only=survey_only), work)


def find_at_once(held: HeldSet, question: Question, *, now: datetime) -> Findings | None:
    """Evaluate a request in one go, the usual case; None where that could hold the loop too long (`find` does it in steps)."""
    selection = question.selection
    evaluation = held.program.evaluate_within(question.work, question.context, now=now, selection=selection)
    return None if evaluation is None else _findings(held, selection, evaluation)


def find(held: HeldSet, question: Question, *, now: datetime) -> Steps[Findings]:
    """Evaluate a request in steps; `now` is an aware datetime, from which relative dates count."""
    selection = question.selection
    evaluation = yield from held.program.steps(question.context, now=now, selection=selection, work=question.work)
    return _findings(held, selection, evaluation)


def _findings(held: HeldSet, selection: Selection, evaluation: Evaluation) -> Findings:
    found = evaluation.outcomes
    if evaluation.is_certain and selection.flag_keys is None:
        return Findings(found, _NOTHING)
    if not evaluation.is_certain:
        found = {key: outcome for key, outcome in found.items() if outcome.status is Status.VALUE}
    wanted = held.program.keys(selection) if selection.flag_keys is None else _wanted(held, selection, selection.flag_keys)
    return Findings(found, wanted.difference(found))


def switched_off(held: HeldSet, question: Question) -> dict[str, Record]:
    """Say of each asked flag that is off that it is: who merges answers would otherwise keep it on. None not meant for them."""
    selection, is_meant = question.selection, selector(question.selection)
    flags = off_flags(held.standings, selection.flag_keys)
    return {flag.key: off_record(flag) for flag in flags if is_meant(flag)}


def _wanted(held: HeldSet, selection: Selection, asked: tuple[str, ...]) -> frozenset[str]:
    """Leave out of the asked keys those that upstream would leave out too: flags that are off, or not for this caller."""
    live, known = held.program.keys(selection), held.standings
    return frozenset(key for key in asked if key in live or key not in known)


def _work(person: Mapping[str, Json], groups: Mapping[str, Mapping[str, Json]]) -> int | None:
    """Return how many filters may stand between two pauses; None where a single one would hold the loop.

    A filter compares a list or an object by its JSON text, 1.4 µs an element, and one comparison is never cut.
    """
    nested = [value for values in (person, *groups.values()) for value in values.values() if isinstance(value, (list, dict))]
    if nested:
        return 1 if len(_encode(nested)) <= NESTED_BYTES else None
    size = len(_encode((person, groups)))
    return WORK_PER_STEP if size <= ORDINARY_BYTES else max(1, WORK_PER_STEP * ORDINARY_BYTES // size)


def _context(body: FlagsBody, distinct_id: str, timezone: str | None) -> Context:
    return Context(
        distinct_id=distinct_id,
        person_properties=body.person_properties or {},
        groups=body.groups or {},
        group_properties=body.group_properties or {},
        device_id=device_of(body),
        anon_distinct_id=body.anon_distinct_id or None,
        timezone=timezone,
        geoip_disabled=body.geoip_disable is True,
    )
