"""Filters on the result of another flag (contract §5.6), and which flags a flag depends on.

A target that is filtered out counts as false. One that failed leaves the filter open: the flag then fails only when it
matters. One that is inconclusive is asked for each value it may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from reference.definitions.flag import V1
from reference.definitions.model import FilterType, Flag, Operator, PropertyFilter
from reference.json import Json
from reference.matching.match import Unsure
from reference.outcome import Outcome, Status

from .answers import DEPENDENCY_FAILED, Answer, Check, never

if TYPE_CHECKING:
    from reference.rules_v1.subject import Subject

Expectation: TypeAlias = "Callable[[bool | str], bool]"

DEPENDENCY_UNKNOWN: Final = Unsure("dependency_unknown")


class Targets:
    """Finds the flag that a dependency filter names: by key, else by the decimal text of its id (contract §5.3)."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self._by_key: dict[str, Flag] = {}
        self._by_id: dict[str, Flag] = {}
        for flag in flags:
            self._by_key[flag.key] = flag
            if flag.id:
                self._by_id.setdefault(str(flag.id), flag)

    def find(self, name: str) -> Flag | None:
        """Return the flag of that key or id."""
        return self._by_key.get(name) or self._by_id.get(name)

    def of(self, flag: Flag) -> tuple[str, ...]:
        """Name the flags that a flag asks about and that exist, each once."""
        found = (self.find(name) for name in named_targets(flag))
        return tuple(dict.fromkeys(target.key for target in found if target is not None))


def named_targets(flag: Flag) -> Iterator[str]:
    """Name the flags that a flag's conditions ask about, whatever their operator."""
    return (leaf.key for condition in flag.conditions for leaf in condition.properties if leaf.type is FilterType.FLAG)


def dependency_check(leaf: PropertyFilter, targets: Targets) -> Check:
    """Compile one dependency filter. A target that does not exist never gets here: the flag is in the missing set then."""
    expects = _expectation(leaf)
    target = targets.find(leaf.key)
    if expects is None or target is None:
        return never
    key = target.key

    def check(subject: Subject) -> Answer:
        outcome = subject.outcomes.get(key)
        if outcome is None:
            return expects(False)
        if outcome.status is Status.VALUE:
            return expects(outcome.enabled if outcome.variant is None else outcome.variant)
        return _undecided(outcome, subject.possible, expects)

    return check


def are_contradictory(filters: Sequence[PropertyFilter], targets: Targets) -> bool:
    """Tell whether no value of one flag satisfies all of these filters: a plain mismatch even where the flag failed."""
    wanted: dict[str, list[Json]] = {}
    for leaf in filters:
        target = targets.find(leaf.key)
        if target is not None:
            wanted.setdefault(target.key, []).append(leaf.value)
    return any(_exclude_each_other(values) for values in wanted.values())


def _undecided(outcome: Outcome, possible: Mapping[str, tuple[bool | str, ...]], expects: Expectation) -> Answer:
    if outcome.status is Status.FAILED:
        return DEPENDENCY_FAILED if outcome.config_version == V1 else expects(False)  # unsupported formats count as false
    values = possible.get(outcome.key)
    answers = {expects(value) for value in values} if values else set()
    return answers.pop() if len(answers) == 1 else DEPENDENCY_UNKNOWN


def _expectation(leaf: PropertyFilter) -> Expectation | None:
    """Return the test of a target's value; None when nothing can satisfy it."""
    if leaf.operator is not Operator.FLAG_EVALUATES_TO:
        return None
    expected = leaf.value
    if expected is True:
        return lambda value: value is not False
    if expected is False:
        return lambda value: value is False
    return (lambda value: value == expected) if isinstance(expected, str) else None


def _exclude_each_other(expected: Sequence[Json]) -> bool:
    texts = {value for value in expected if isinstance(value, str)}
    if len(texts) > 1:
        return True
    return False in [value for value in expected if isinstance(value, bool)] and (
        bool(texts) or any(v is True for v in expected)
    )
