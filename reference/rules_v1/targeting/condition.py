"""One condition set compiled: its checks, the edge of its rollout, and what it buckets by.

Checks on the person's properties take the view directly (most are of this kind), all others take the subject. Their order
does not matter, because a mismatch wins over doubt, and cohorts, which alone can fail, come last (contract §5.4 e).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reference.definitions.model import ConditionSet, FilterType, PropertyFilter
from reference.matching.match import Moment, Predicate, View
from reference.rules_v1.buckets import Split, rollout_share

from .answers import Answer, Check, Failure, Kleene, all_of, never
from .cohorts import Cohorts, cohort_number
from .dependencies import Targets, are_contradictory, dependency_check

if TYPE_CHECKING:
    from reference.rules_v1.subject import Subject

CompileFilter: TypeAlias = "Callable[[PropertyFilter], Predicate]"


class Targeting(NamedTuple):
    """Whether a condition's filters hold.

    Attributes:
        holds: False, True, or what it depends on.
        failure: A cohort fails the flag: certainly where `holds` is True, else only if the other filters hold.
        missed_behaviour: It was a cohort with a behavioural leaf that did not match.
    """

    holds: Kleene
    failure: Failure | None = None
    missed_behaviour: bool = False


class Tools:
    """What compiling a condition needs to know about the rest of the definitions."""

    __slots__ = ("cohorts", "compile_filter", "targets")

    def __init__(self, compile_filter: CompileFilter, cohorts: Cohorts, targets: Targets) -> None:
        self.compile_filter = compile_filter
        self.cohorts = cohorts
        self.targets = targets


class Condition:
    """A compiled condition set.

    Attributes:
        index: Its stored position.
        predicates: Checks on the person's properties.
        checks: Checks on the subject: groups and flags.
        cohort_check: All cohort filters together; None without any.
        rollout: Its share of people.
        pinned: The pinned variant, where it names one of the flag's.
        group_type_index: The group type it buckets by; None for the person.
        needs_device: Without a device id, a flag bucketed by device skips it (contract §5.4 b).
        asks_behaviour: One of its cohorts has a behavioural leaf.
    """

    __slots__ = (
        *("asks_behaviour", "checks", "cohort_check", "group_type_index", "index", "needs_device", "pinned", "predicates"),
        "rollout",
    )

    def __init__(self, condition: ConditionSet, index: int, split: Split, variants: frozenset[str], tools: Tools) -> None:
        by_type = {kind: [leaf for leaf in condition.properties if leaf.type is kind] for kind in FilterType}
        cohorts = by_type[FilterType.COHORT]
        self.index = index
        self.group_type_index = condition.aggregation.group_type_index
        self.predicates = tuple(
            tools.compile_filter(leaf) for kind in (FilterType.PERSON, FilterType.PERSON_METADATA) for leaf in by_type[kind]
        )
        self.cohort_check = tools.cohorts.check(cohorts) if cohorts else None
        self.checks = (
            *(_group_check(leaf, self.group_type_index, tools) for leaf in by_type[FilterType.GROUP]),
            *_dependency_checks(by_type[FilterType.FLAG], tools.targets),
        )
        self.rollout = rollout_share(condition.rollout_percentage)
        self.pinned = condition.variant if condition.variant in variants else None
        hash_matters = condition.rollout_percentage < 100 or (self.pinned is None and not split.is_degenerate)  # noqa: PLR2004
        self.needs_device = self.group_type_index is None and hash_matters
        self.asks_behaviour = any(cohort_number(leaf.value) in tools.cohorts.behavioural for leaf in cohorts)

    def targeting(self, subject: Subject) -> Targeting:
        """Ask every filter; cohorts only where the others leave the condition open, as the service does."""
        view = subject.view
        answers: list[Answer] = [predicate(view) for predicate in self.predicates]
        answers.extend(check(subject) for check in self.checks)
        others = all_of(answers)
        if self.cohort_check is None or others is False:
            return Targeting(others)
        in_cohorts = self.cohort_check(subject)
        if isinstance(in_cohorts, Failure):
            return Targeting(others, failure=in_cohorts)
        holds = all_of((others, in_cohorts))
        return Targeting(holds, missed_behaviour=holds is False and self.asks_behaviour)


def _group_check(leaf: PropertyFilter, condition_index: int | None, tools: Tools) -> Check:
    """Compile a filter on a group: of its own type, else of the type the condition buckets by, else on no group at all."""
    predicate = tools.compile_filter(leaf)
    index = condition_index if leaf.group_type_index is None else leaf.group_type_index
    if index is None:
        return lambda subject: predicate(_nothing(subject.view.moment))
    return lambda subject: predicate(subject.group(index).view)


def _dependency_checks(filters: Sequence[PropertyFilter], targets: Targets) -> tuple[Check, ...]:
    if are_contradictory(filters, targets):
        return (never,)
    return tuple(dependency_check(leaf, targets) for leaf in filters)


def _nothing(moment: Moment) -> View:
    return View({}, moment, complete=True)
