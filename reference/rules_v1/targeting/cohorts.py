"""Cohorts compiled once, answered once per request (contract §8).

Cohorts look at the person, in group conditions too. What a cohort needs is decided before it, by a stack instead of
recursion. A cohort that is cyclic, cannot be parsed or is not there fails the flag on a server; a local evaluator does not
hold static cohorts, so there a missing one is only unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from reference.definitions.cohort import COHORT_DEFECT
from reference.definitions.graph import arrange
from reference.definitions.model import BehaviouralLeaf, Cohort, CohortGroup, FilterType, Operator, PropertyFilter
from reference.json import Json
from reference.matching.match import Predicate, Unsure
from reference.steps import Steps

from .answers import CohortAnswer, CohortCheck, Failure, Kleene, Rule, all_of, negated, never

if TYPE_CHECKING:
    from reference.rules_v1.subject import Subject

COHORT_CYCLE: Final = Failure("dependency_cycle_cohort")
COHORT_NOT_FOUND: Final = Failure("dependency_not_found_cohort")
COHORT_UNPARSABLE: Final = Failure(COHORT_DEFECT)

MEMBERSHIP_UNKNOWN: Final = Unsure("membership_unknown")
COHORT_UNKNOWN: Final = Unsure("cohort_unknown")
COHORT_ODD: Final = Failure(COHORT_DEFECT, doubt=Unsure("cohort_unparsable"))

_NUMERIC_ID: Final = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
_MAX_ID: Final = 2**31 - 1

CompileFilter: TypeAlias = "Callable[[PropertyFilter], Predicate]"


class CompiledCohort(NamedTuple):
    """One cohort: what it needs first, and its rule once those are decided."""

    needs: tuple[int, ...]
    rule: CohortCheck


class Cohorts:
    """All cohorts of the definitions.

    Attributes:
        behavioural: The cohorts whose definition has a behavioural leaf.
    """

    def __init__(self, cohorts: Mapping[int, Cohort], compile_filter: CompileFilter) -> None:
        self._compile_filter = compile_filter
        self.behavioural = frozenset(number for number, cohort in cohorts.items() if _has_behaviour(cohort))
        self._compiled: dict[int, CompiledCohort] = {}
        self._shallow: dict[int, CompiledCohort] = {}
        """Those that need no others, or only such: most of them."""

    @classmethod
    def in_steps(cls, cohorts: Mapping[int, Cohort], compile_filter: CompileFilter) -> Steps[Cohorts]:
        """Compile all cohorts, yielding after each."""
        made = cls(cohorts, compile_filter)
        needs = {number: made._needs(cohort) for number, cohort in cohorts.items()}
        _, cyclic = arrange(needs)
        for number, cohort in cohorts.items():
            is_cyclic = number in cyclic
            made._compiled[number] = CompiledCohort((), _cycle) if is_cyclic else made._compile(cohort, needs[number])
            yield
        made._shallow.update((number, cohort) for number, cohort in made._compiled.items() if made._is_shallow(cohort))
        return made

    def check(self, filters: Sequence[PropertyFilter]) -> CohortCheck:
        """Compile the cohort filters of one condition; all of them are asked, because one that fails fails the flag."""
        checks = tuple(self._filter_check(leaf) for leaf in filters)
        if len(checks) == 1:
            return checks[0]
        return lambda subject: _all_cohorts([check(subject) for check in checks])

    def answer(self, subject: Subject, cohort_id: int) -> CohortAnswer:
        """Tell whether the person is in a cohort, deciding whatever it needs first."""
        decided = subject.cohorts
        known = decided.get(cohort_id)
        if known is not None:
            return known
        shallow = self._shallow.get(cohort_id)
        if shallow is not None:
            for need in shallow.needs:
                if need not in decided:
                    decided[need] = self._compiled[need].rule(subject)
            answer = decided[cohort_id] = _settled(shallow, subject)
            return answer
        stack = [cohort_id]
        while stack:
            current = stack[-1]
            cohort = self._compiled.get(current)
            pending = [need for need in cohort.needs if need not in decided] if cohort and current not in decided else []
            if pending:
                stack.extend(pending)
                continue
            stack.pop()
            if current not in decided:
                decided[current] = _absent(subject, current) if cohort is None else _settled(cohort, subject)
        return decided[cohort_id]

    def _is_shallow(self, cohort: CompiledCohort) -> bool:
        return all(need in self._compiled and not self._compiled[need].needs for need in cohort.needs)

    def _needs(self, cohort: Cohort) -> tuple[int, ...]:
        if cohort.is_static or cohort.id in self.behavioural:
            return ()
        numbers = (cohort_number(leaf.value) for leaf in _leaves(cohort) if leaf.type is FilterType.COHORT)
        return tuple(dict.fromkeys(number for number in numbers if number is not None))

    def _compile(self, cohort: Cohort, needs: tuple[int, ...]) -> CompiledCohort:
        if cohort.defect is not None:
            return CompiledCohort((), _unparsable)
        if cohort.is_static or cohort.id in self.behavioural:
            return CompiledCohort((), lambda subject: _membership(subject, cohort.id))
        if any(leaf.type is FilterType.COHORT and cohort_number(leaf.value) is None for leaf in _leaves(cohort)):
            return CompiledCohort((), _unparsable)
        return CompiledCohort(needs, never if cohort.root is None else self._group(cohort.root))

    def _filter_check(self, leaf: PropertyFilter) -> CohortCheck:
        number = cohort_number(leaf.value)
        if number is None:
            return lambda _: COHORT_UNPARSABLE
        if leaf.operator is Operator.IN:
            return lambda subject: self.answer(subject, number)
        if leaf.operator is not Operator.NOT_IN:
            return never

        def outside(subject: Subject) -> CohortAnswer:
            answer = self.answer(subject, number)
            return answer if isinstance(answer, Failure) else negated(answer)

        return outside

    def _group(self, group: CohortGroup) -> Rule:
        """Compile an AND or OR; at most 64 deep, so plain recursion will do."""
        settles = not group.conjunction  # the answer that decides the group whatever the others are
        leaves = [member for member in group.members if isinstance(member, PropertyFilter) and _is_about_person(member)]
        if len(leaves) == len(group.members):
            return _joined(tuple(self._compile_filter(leaf) for leaf in leaves), settles=settles)
        rules = tuple(
            self._group(member) if isinstance(member, CohortGroup) else self._leaf(member) for member in group.members
        )

        def decide(subject: Subject) -> Kleene:
            doubt: Unsure | None = None
            for rule in rules:
                answer = rule(subject)
                if answer is settles:
                    return settles
                if isinstance(answer, Unsure):
                    doubt = answer if doubt is None else doubt
            return not settles if doubt is None else doubt

        return decide

    def _leaf(self, leaf: PropertyFilter | BehaviouralLeaf) -> Rule:
        if isinstance(leaf, BehaviouralLeaf):  # not reached: a cohort with one is decided by membership as a whole
            return lambda _: MEMBERSHIP_UNKNOWN
        plain = self._cohort_leaf(leaf) if leaf.type is FilterType.COHORT else self._property_leaf(leaf)
        return (lambda subject: negated(plain(subject))) if leaf.negation else plain

    def _cohort_leaf(self, leaf: PropertyFilter) -> Rule:
        number = cohort_number(leaf.value)
        if number is None or leaf.operator not in {Operator.IN, Operator.NOT_IN}:
            return never
        is_negative = leaf.operator is Operator.NOT_IN

        def decide(subject: Subject) -> Kleene:
            inner = subject.cohorts[number]
            assert not isinstance(inner, Failure), "a need that failed settles its cohort before any leaf is asked"
            return negated(inner) if is_negative else inner

        return decide

    def _property_leaf(self, leaf: PropertyFilter) -> Rule:
        """Compile a leaf about the person; what cannot be compared is false, before `negation` flips it."""
        if leaf.type is FilterType.FLAG:  # flag_evaluates_to has no meaning on a person's properties
            return never
        predicate = self._compile_filter(leaf)

        def decide(subject: Subject) -> Kleene:
            answer = predicate(subject.view)
            return answer if answer is True or type(answer) is Unsure else False

        return decide


def cohort_number(value: Json) -> int | None:
    """Read a cohort id: an integer or its decimal text, 32 bits; None for anything else."""
    if isinstance(value, str) and _NUMERIC_ID.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MAX_ID:
        return None
    return value


def _is_about_person(leaf: PropertyFilter) -> bool:
    return leaf.type not in {FilterType.COHORT, FilterType.FLAG} and not leaf.negation


def _joined(predicates: tuple[Predicate, ...], *, settles: bool) -> Rule:
    """Join plain leaves, the usual group: as the general rule does, without two calls a leaf. What is invalid is false."""

    def decide(subject: Subject) -> Kleene:
        view, doubt = subject.view, None
        for predicate in predicates:
            answer = predicate(view)
            if type(answer) is Unsure:
                doubt = answer if doubt is None else doubt
            elif (answer is True) is settles:
                return settles
        return not settles if doubt is None else doubt

    return decide


def _settled(cohort: CompiledCohort, subject: Subject) -> CohortAnswer:
    for need in cohort.needs:
        answer = subject.cohorts[need]
        if isinstance(answer, Failure):
            return answer
    return cohort.rule(subject)


def _all_cohorts(answers: Sequence[CohortAnswer]) -> CohortAnswer:
    """Combine the cohorts of a condition: all are loaded before any is compared, so a failure wins even over a mismatch."""
    failure = next((answer for answer in answers if isinstance(answer, Failure)), None)
    return all_of(answer for answer in answers if not isinstance(answer, Failure)) if failure is None else failure


def _cycle(_subject: Subject) -> CohortAnswer:
    return COHORT_CYCLE


def _absent(subject: Subject, cohort_id: int) -> CohortAnswer:
    """Answer for a cohort that the definitions do not hold: static ones are left out of them, so membership decides."""
    answer = _membership(subject, cohort_id)
    if isinstance(answer, Unsure):
        return COHORT_NOT_FOUND if subject.complete else COHORT_UNKNOWN
    return answer


def _membership(subject: Subject, cohort_id: int) -> Kleene:
    provider = subject.memberships
    known = None if provider is None else provider.is_member(cohort_id)
    return MEMBERSHIP_UNKNOWN if known is None else known


def _unparsable(subject: Subject) -> CohortAnswer:
    """Fail the flag on a server; here a newer service may well understand what this version does not."""
    return COHORT_UNPARSABLE if subject.complete else COHORT_ODD


def _has_behaviour(cohort: Cohort) -> bool:
    return any(isinstance(member, BehaviouralLeaf) for member in _members(cohort.root))


def _leaves(cohort: Cohort) -> Iterator[PropertyFilter]:
    return (member for member in _members(cohort.root) if isinstance(member, PropertyFilter))


def _members(root: CohortGroup | None) -> Iterator[PropertyFilter | BehaviouralLeaf]:
    pending = [] if root is None else [root]
    while pending:
        for member in pending.pop().members:
            if isinstance(member, CohortGroup):
                pending.append(member)
            else:
                yield member
