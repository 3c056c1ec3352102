"""May a set that upstream sent take the place of the one held? Pure: sets and settings in, a verdict out.

Upstream can be wrong in ways that look well-formed: an emptied list, a fraction of it, an old copy, a mapping that got lost.
Such a set is refused and the held one stays, until upstream sends another or an operator accepts it. A set that changes much
at once is held back for a few polls and then accepted: a person may mean it. What people do to single flags (switch off,
delete, roll back) passes at once.

| check | verdict | reason |
|---|---|---|
| it is a definitions document | refused | `unparsable` |
| it is not the set that an operator rolled back from | refused | `rolled_back` |
| it has flags, when the held one has | refused | `emptied` |
| it has most of the held flags, in a form that can be read | refused | `shrunk` |
| no flag is older than held | refused | `version_fell` |
| group types are there that were there | refused | `group_types_lost` |
| most cohorts are there that were there and are needed | refused | `cohorts_lost` |
| few flags change their values at once | held | `many_values_change` |
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from proxy.config.settings import Definitions as Rules
from reference.definitions.errors import DefinitionsError
from reference.definitions.model import Cohort, CohortGroup, ConditionSet, Definitions, FilterType, Flag, PropertyFilter

from .canary import Asked, changed_flags, live_flags
from .document import DefinitionsSet, parsed

NAMED: Final = 5
"""At most so many keys are named in a reason."""
_ID_DIGITS: Final = 19


class Reason(msgspec.Struct, frozen=True):
    """Why a set did not pass at once.

    Attributes:
        code: One of the table above.
        detail: For an operator: counts and at most `NAMED` flag keys; nothing of any person.
    """

    code: str
    detail: str


class Accepted(msgspec.Struct, frozen=True):
    """The set may take the place of the held one; `definitions` is its parsed form."""

    definitions: Definitions


class Held(msgspec.Struct, frozen=True):
    """It may, after some polls."""

    definitions: Definitions
    reason: Reason


class Refused(msgspec.Struct, frozen=True):
    """It may not, unless an operator says so."""

    reason: Reason


Verdict: TypeAlias = Accepted | Held | Refused


def admit(
    candidate: DefinitionsSet,
    held: Definitions | None,
    *,
    rules: Rules,
    sample: Sequence[Asked] = (),
    now: datetime,
    is_provisional: bool = False,
) -> Verdict:
    """Judge a set.

    Args:
        candidate: What upstream sent.
        held: What it would replace; None: nothing, and anything that parses is accepted.
        rules: The project's settings.
        sample: Recent requests, for the canary.
        now: Aware datetime for relative dates.
        is_provisional: What is held came from the boot source: it proves only that there were flags.
    """
    try:
        new = parsed(candidate)
    except DefinitionsError as error:
        return Refused(Reason("unparsable", str(error)))
    if held is None:
        return Accepted(new)
    for check in (_emptied,) if is_provisional else CHECKS:
        if reason := check(new, held, rules):
            return Refused(reason)
    if not is_provisional and (reason := _many_values_change(new, held, rules, sample=sample, now=now)):
        return Held(new, reason)
    return Accepted(new)


def _emptied(new: Definitions, held: Definitions, _: Rules) -> Reason | None:
    if _usable(new) or not _present(held):
        return None
    return Reason("emptied", f"no usable flag, where {len(_present(held))} are held")


def _shrunk(new: Definitions, held: Definitions, rules: Rules) -> Reason | None:
    present = _present(held)
    lost = present - _usable(new)
    if not _is_much(lost, present, ratio=rules.shrink_ratio, at_least=rules.shrink_flags):
        return None
    return Reason("shrunk", f"{len(lost)} of {len(present)} flags are missing or unreadable: {_named(lost)}")


def _version_fell(new: Definitions, held: Definitions, _: Rules) -> Reason | None:
    before = {flag.key: flag for flag in held.flags}
    older = [flag.key for flag in new.flags if flag.key in before and _is_older(flag, before[flag.key])]
    return Reason("version_fell", f"{len(older)} flags are older than held: {_named(older)}") if older else None


def _group_types_lost(new: Definitions, held: Definitions, _: Rules) -> Reason | None:
    if held.group_types and not new.group_types:
        return Reason("group_types_lost", f"the mapping is empty, where it had {len(held.group_types)} group types")
    gone = (held.group_types.keys() - new.group_types.keys()) & _group_types_used(new)
    return Reason("group_types_lost", f"flags use group types that the mapping lost: {sorted(gone)}") if gone else None


def _cohorts_lost(new: Definitions, held: Definitions, rules: Rules) -> Reason | None:
    """Static cohorts are never in the document, so an unknown one proves nothing; one that was there and is needed does."""
    needed = {number for number in _cohorts_needed(new, held) if _is_sound(held.cohorts.get(number))}
    lost = {number for number in needed if not _is_sound(new.cohorts.get(number))}
    if not _is_much(lost, needed, ratio=rules.shrink_ratio, at_least=1):
        return None
    return Reason("cohorts_lost", f"{len(lost)} of {len(needed)} cohorts that flags need are missing or unreadable")


CHECKS: Final[tuple[Callable[[Definitions, Definitions, Rules], Reason | None], ...]] = (
    _emptied,
    _shrunk,
    _version_fell,
    _group_types_lost,
    _cohorts_lost,
)


def _many_values_change(
    new: Definitions, held: Definitions, rules: Rules, *, sample: Sequence[Asked], now: datetime
) -> Reason | None:
    live = live_flags(held)
    changed = changed_flags(held, new, sample=sample, now=now) & live
    if not _is_much(changed, live, ratio=rules.canary_ratio, at_least=rules.canary_flags):
        return None
    return Reason("many_values_change", f"{len(changed)} of {len(live)} flags change values at once: {_named(changed)}")


def _is_much(part: Collection[object], whole: Collection[object], *, ratio: float, at_least: int) -> bool:
    return len(part) >= at_least and len(part) > ratio * len(whole)


def _named(keys: Iterable[str]) -> str:
    first = sorted(keys)
    return ", ".join(first[:NAMED]) + (", …" if len(first) > NAMED else "")


def _usable(definitions: Definitions) -> set[str]:
    """A flag that is there and says so much as that it is deleted."""
    return {flag.key for flag in definitions.flags if flag.defect is None}


def _present(definitions: Definitions) -> set[str]:
    return {flag.key for flag in definitions.flags if flag.defect is None and not flag.deleted}


def _is_older(new: Flag, held: Flag) -> bool:
    """Versions count for one flag: a key that was deleted and made again has another id and starts at 1. 0: not said."""
    return 0 < new.version < held.version and new.id == held.id


def _is_sound(cohort: Cohort | None) -> bool:
    return cohort is not None and cohort.defect is None


def _group_types_used(definitions: Definitions) -> set[int]:
    used: set[int | None] = set()
    for flag in definitions.flags:
        used.add(flag.aggregation.group_type_index)
        for condition in flag.conditions:
            used.add(condition.aggregation.group_type_index)
            used.update(leaf.group_type_index for leaf in condition.properties)
    return {index for index in used if index is not None}


def _cohorts_needed(new: Definitions, held: Definitions) -> set[int]:
    """Collect the cohorts that flags of the new set name, and those that these name, in either set's form."""
    conditions: Iterable[ConditionSet] = (condition for flag in new.flags for condition in flag.conditions)
    pending = [number for condition in conditions for leaf in condition.properties for number in _named_cohort(leaf)]
    needed: set[int] = set()
    while pending:
        number = pending.pop()
        if number not in needed:
            needed.add(number)
            pending.extend(_members(new.cohorts.get(number) or held.cohorts.get(number)))
    return needed


def _members(cohort: Cohort | None) -> Iterator[int]:
    groups: list[CohortGroup] = [cohort.root] if cohort is not None and cohort.root is not None else []
    while groups:
        for member in groups.pop().members:
            if isinstance(member, CohortGroup):
                groups.append(member)
            elif isinstance(member, PropertyFilter):
                yield from _named_cohort(member)


def _named_cohort(leaf: PropertyFilter) -> Iterator[int]:
    if leaf.type is not FilterType.COHORT or not isinstance(leaf.value, int | str):
        return
    text = str(leaf.value)
    if len(text) <= _ID_DIGITS and text.isdecimal():
        yield int(text)
