"""The fast loop for plain flags, the hot path of local answers: all conditions bucket alike, and nothing comes before them.

It takes the same decisions as the walk for answers that are certain, and hands the whole flag over to the walk at the first
that is not, so that everything subtle is written once. A law among the property tests holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from reference.matching.match import INVALID, Predicate
from reference.outcome import Outcome, Reason

from .buckets import ALWAYS, VARIANT_SALT, ZERO, digest, sha1
from .subject import Bucket, Identity, Subject
from .targeting.answers import Answer, Failure
from .targeting.condition import Condition
from .walk import walk

if TYPE_CHECKING:
    from .flag import CompiledFlag

PERSON: Final[Callable[[Subject], bytes]] = attrgetter("identity")
"""Buckets by the person: an identity that is always known."""

Holds: TypeAlias = "Callable[[Subject], Answer | Failure]"


class _Step(NamedTuple):
    """One condition, with everything it can lead to at hand.

    Attributes:
        holds: Its filters; None without any.
        edge: Of its rollout.
        matched: Its outcome; None where the variant is still to be drawn.
        untargeted: The miss of its filters.
        rolled_out: The miss of its rollout.
        position: Where it is stored.
    """

    holds: Holds | None
    edge: bytes
    matched: Outcome | None
    untargeted: Outcome
    rolled_out: Outcome
    position: int


def plain_evaluation(flag: CompiledFlag, identify: Callable[[Subject], Identity]) -> Callable[[Subject], Outcome]:
    """Make the evaluation of a plain flag.

    Args:
        flag: The flag; its conditions all bucket by the same identity.
        identify: Returns that identity.
    """
    outcomes, prefix, split, early_exit = flag.outcomes, flag.prefix, flag.split, flag.early_exit
    nothing = outcomes.missed(Reason.NO_GROUP_TYPE, None)
    steps = tuple(_step(condition, flag) for condition in flag.conditions)
    if len(steps) == 1 and identify is PERSON:
        return _single(flag, steps[0])

    def evaluate(subject: Subject) -> Outcome:
        identity = identify(subject)
        if isinstance(identity, Bucket):
            return walk(flag, subject)
        miss, is_rolled_out, digested = nothing, False, ZERO
        for holds, edge, matched, untargeted, rolled_out, position in steps:
            answer = True if holds is None else holds(subject)
            if answer is not True:
                if answer is not False and answer is not INVALID:
                    return walk(flag, subject)
                miss = miss if is_rolled_out else untargeted
                continue
            if edge is not ALWAYS:
                digested = digested or digest(prefix, identity)
            if edge is ALWAYS or digested < edge:
                return matched or outcomes.matched(position, split.pick(digest(prefix, identity, VARIANT_SALT)))
            if early_exit:
                return rolled_out
            miss, is_rolled_out = rolled_out, True
        return miss

    return evaluate


def _single(flag: CompiledFlag, step: _Step) -> Callable[[Subject], Outcome]:
    """Make the evaluation of the commonest kind: one condition, bucketed by the person. There is no loop to be in."""
    outcomes, prefix, split = flag.outcomes, flag.prefix, flag.split
    holds, edge, matched, untargeted, rolled_out, position = step
    only = _only_predicate(flag.conditions[0])

    def evaluate(subject: Subject) -> Outcome:
        if holds is not None:
            answer = holds(subject) if only is None else only(subject.view)
            if answer is not True:
                return untargeted if answer is False or answer is INVALID else walk(flag, subject)
        identity = subject.identity
        if edge is not ALWAYS and not (sha1(prefix + identity).digest() if identity else ZERO) < edge:  # `digest`, less a call
            return rolled_out
        return matched or outcomes.matched(position, split.pick(digest(prefix, identity, VARIANT_SALT)))

    return evaluate


def _step(condition: Condition, flag: CompiledFlag) -> _Step:
    outcomes, index = flag.outcomes, condition.index
    is_settled = condition.pinned is not None or not flag.definition.variants
    return _Step(
        holds=_holds(condition),
        edge=condition.rollout.edge,
        matched=outcomes.matched(index, condition.pinned) if is_settled else None,
        untargeted=outcomes.missed(Reason.NO_CONDITION_MATCH, index),
        rolled_out=outcomes.missed(Reason.OUT_OF_ROLLOUT_BOUND, index),
        position=index,
    )


def _holds(condition: Condition) -> Holds | None:
    """Join a condition's filters; the first answer that is not True is the answer."""
    predicates, checks, only = condition.predicates, _checks(condition), _only_predicate(condition)
    if not predicates:
        return checks[0] if len(checks) == 1 else (lambda subject: _first(subject, checks)) if checks else None
    if only is not None:
        return lambda subject: only(subject.view)

    def holds(subject: Subject) -> Answer | Failure:
        view = subject.view
        for predicate in predicates:
            answer = predicate(view)
            if answer is not True:
                return answer
        return _first(subject, checks)

    return holds


def _only_predicate(condition: Condition) -> Predicate | None:
    """Return a condition's one filter, where that looks at the person's properties alone."""
    return condition.predicates[0] if len(condition.predicates) == 1 and not _checks(condition) else None


def _checks(condition: Condition) -> tuple[Holds, ...]:
    return condition.checks if condition.cohort_check is None else (*condition.checks, condition.cohort_check)


def _first(subject: Subject, checks: tuple[Holds, ...]) -> Answer | Failure:
    for check in checks:
        answer = check(subject)
        if answer is not True:
            return answer
    return True
