"""The careful walk over a flag's conditions: every case of contract §5.4, and every way not to know.

It keeps the outcomes that are possible. A condition that may hold adds what it would give, and the walk goes on; a rollout
miss makes its filters irrelevant. In the end the outcome is a value exactly when all possible ones agree in value, variant
and payload. Its reason is then the one that holds if the conditions in doubt do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from reference.matching.match import Unsure
from reference.outcome import Outcome, Reason, Status

from .buckets import NEVER, VARIANT_SALT, Share, digest, holdout_digest
from .outcomes import BEHAVIOUR_CAVEAT, GROUPS_CAVEAT
from .subject import Bucket, Identity, Subject
from .targeting.answers import DEPENDENCY_FAILED, Failure, Kleene, worse
from .targeting.condition import Condition

if TYPE_CHECKING:
    from .flag import CompiledFlag

SCORES: Final = {Reason.OUT_OF_ROLLOUT_BOUND: 3, Reason.NO_CONDITION_MATCH: 2, Reason.NO_GROUP_TYPE: 1}
"""Which reason is reported when nothing matches: the highest, and of equals the last (contract §5.5)."""

OVERRIDE_UNKNOWN: Final = Unsure("hash_key_override_unknown")
GROUP_TYPE_UNKNOWN: Final = Unsure("group_type_unknown")


def walk(flag: CompiledFlag, subject: Subject) -> Outcome:
    """Decide a flag that has conditions; also record the values it may have when that stays open."""
    return subject.noted(_Walk(flag, subject).run())


class _Walk:
    """The state of one walk: the best reason for a miss, the possible outcomes, and the doubt that opened them."""

    __slots__ = ("_caveat", "_doubt", "_doubt_index", "_flag", "_index", "_possible", "_reason", "_skipped_group", "_subject")

    def __init__(self, flag: CompiledFlag, subject: Subject) -> None:
        self._flag = flag
        self._subject = subject
        self._reason = Reason.NO_GROUP_TYPE
        self._index: int | None = None
        self._possible: dict[object, Outcome] = {}
        self._doubt: Unsure | None = None
        self._doubt_index: int | None = None
        self._caveat = self._skipped_group = False

    def run(self) -> Outcome:
        if self._hold_out() or any(self._step(condition) for condition in self._flag.conditions):
            return self._conclusion()
        self._may_end_with(self._miss())
        return self._conclusion()

    def _hold_out(self) -> bool:
        """Tell whether the person is certainly in the flag's holdout, which then is its outcome."""
        flag = self._flag
        if flag.held_out is None:
            return False
        identity = flag.holdout_identity(self._subject)
        is_in = _is_in(flag.holdout, identity, holdout_digest)
        if is_in is not False:
            self._may_end_with(flag.held_out)
        if is_in is None:
            self._open(GROUP_TYPE_UNKNOWN, None)
        return is_in is True

    def _step(self, condition: Condition) -> bool:
        """Take one condition; tell whether the walk certainly ends with it."""
        flag, subject = self._flag, self._subject
        identity = flag.identity(condition, subject)
        if identity is Bucket.NOBODY:
            self._skipped_group = True
            return self._missed(Reason.NO_GROUP_TYPE, condition)
        if condition.needs_device and flag.bucket_by_device and subject.device is None:
            return self._missed(Reason.OUT_OF_ROLLOUT_BOUND, condition)
        targeting = condition.targeting(subject)
        if targeting.holds is False:
            self._caveat = self._caveat or targeting.missed_behaviour
            return self._missed(Reason.NO_CONDITION_MATCH, condition)
        holds = targeting.holds
        if identity is Bucket.UNKNOWN and condition.group_type_index is not None:
            holds = _doubted(holds, GROUP_TYPE_UNKNOWN)
        if targeting.failure is not None:
            return self._fail(targeting.failure, holds, condition, identity)
        return self._roll_out(holds, condition, identity)

    def _roll_out(self, holds: Kleene, condition: Condition, identity: Identity) -> bool:
        """Take a condition whose filters hold or may hold."""
        flag, index = self._flag, condition.index
        may_be_empty = condition.group_type_index is None and not self._subject.unstored_identity()
        is_in = _is_in(condition.rollout, identity, partial(digest, flag.prefix), may_be_empty=may_be_empty)
        variants = () if is_in is False else self._variants(condition, identity)
        ends = [flag.outcomes.matched(index, variant) for variant in variants]
        if is_in is not True and flag.early_exit:
            ends.append(flag.outcomes.missed(Reason.OUT_OF_ROLLOUT_BOUND, index))
        for end in ends:
            self._may_end_with(end)
        if isinstance(holds, Unsure) and ends:
            self._open(holds, index)
        if is_in is None or len(variants) > 1:
            self._open(OVERRIDE_UNKNOWN, index)
        self._missed(Reason.NO_CONDITION_MATCH if is_in else Reason.OUT_OF_ROLLOUT_BOUND, condition)
        return holds is True and (is_in is True or flag.early_exit)

    def _variants(self, condition: Condition, identity: Identity) -> Sequence[str | None]:
        """List the variants a match may give; more than one only for an unknown identity."""
        split = self._flag.split
        if condition.pinned is not None:
            return (condition.pinned,)
        if isinstance(identity, bytes):
            return (split.pick(digest(self._flag.prefix, identity, VARIANT_SALT)),)
        return split.reachable

    def _fail(self, failure: Failure, holds: Kleene, condition: Condition, identity: Identity) -> bool:
        """Take a condition with a cohort that fails the flag, if the other filters hold."""
        self._may_end_with(self._flag.outcomes.failed(failure.code))
        if failure.doubt is not None:
            holds = _doubted(holds, failure.doubt)
        if isinstance(holds, Unsure):
            self._open(holds, condition.index)
        if failure.doubt is not None:
            return self._roll_out(holds, condition, identity)
        self._missed(Reason.NO_CONDITION_MATCH, condition)
        return holds is True

    def _missed(self, reason: Reason, condition: Condition) -> bool:
        if SCORES[reason] >= SCORES[self._reason]:
            self._reason, self._index = reason, condition.index
        return False

    def _miss(self) -> Outcome:
        """Make the false that stands when nothing matches."""
        outcomes = self._flag.outcomes
        if self._reason is Reason.NO_CONDITION_MATCH and (self._caveat or self._skipped_group):
            return outcomes.missed_with(BEHAVIOUR_CAVEAT if self._caveat else GROUPS_CAVEAT, self._index)
        return outcomes.missed(self._reason, self._index)

    def _open(self, doubt: Unsure, index: int | None) -> None:
        if self._doubt is None or self._doubt is DEPENDENCY_FAILED:
            self._doubt, self._doubt_index = doubt, index

    def _may_end_with(self, outcome: Outcome) -> None:
        """Note a possible outcome; of those that agree the last one is kept, whose reason depends on the least."""
        self._possible[outcome.status, outcome.enabled, outcome.variant, id(outcome.payload)] = outcome

    def _conclusion(self) -> Outcome:
        possible = tuple(self._possible.values())
        if len(possible) == 1:
            return possible[0]
        assert self._doubt is not None
        if self._doubt is DEPENDENCY_FAILED:
            return self._flag.outcomes.failed(self._doubt.why)
        if not self._may_fail(possible):
            self._subject.possible[self._flag.key] = tuple(outcome.value for outcome in possible)
        return self._flag.outcomes.unknown(self._doubt.why, index=self._doubt_index)

    def _may_fail(self, possible: Sequence[Outcome]) -> bool:
        """Tell whether some completion fails the flag, so that its possible values do not say everything about it."""
        subject = self._subject
        targets = (subject.outcomes[key] for key in self._flag.targets if key in subject.outcomes)
        is_open = any(target.status is not Status.VALUE and target.key not in subject.possible for target in targets)
        return is_open or any(outcome.status is not Status.VALUE for outcome in possible)


def _is_in(share: Share, identity: Identity, hashed: Callable[[bytes], bytes], *, may_be_empty: bool = False) -> bool | None:
    """Tell whether a share takes an identity in; None when that depends on one that is not known.

    An unknown identity is never empty, unless it may turn out to be the request's own that is (no stored override and no
    usable group key is): then 0 % could take it in.
    """
    if share.is_full:
        return True
    if isinstance(identity, bytes):
        return hashed(identity) < share.edge
    return False if share.edge == NEVER or (share.is_empty and not may_be_empty) else None


def _doubted(holds: Kleene, doubt: Unsure) -> Unsure:
    """Make filters that hold, or may hold, depend on one thing more."""
    return worse(holds if isinstance(holds, Unsure) else None, doubt)
