"""One flag compiled: what never changes between requests is done here, once.

A flag that cannot be evaluated gets a fixed outcome. A plain one (bucketed by the person alone, nothing before its
conditions) gets a fast loop that hands over to the careful walk at the first doubt. All others take the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from reference.definitions.flag import FLAG_DEFECT, V1
from reference.definitions.model import Flag
from reference.json import Json
from reference.outcome import Outcome, Reason

from .buckets import Split, holdout_share
from .fast import PERSON, plain_evaluation
from .outcomes import Outcomes
from .subject import Bucket, Identity, Subject
from .targeting.condition import Condition, Tools
from .walk import walk

Evaluate: TypeAlias = "Callable[[Subject], Outcome]"

CONFIG_UNSUPPORTED: Final = "config_version_unsupported"
DEPENDENCY_MISSING: Final = "dependency_missing"
ENROLLMENT_UNKNOWN: Final = "property_unknown"


class CompiledFlag:
    """A flag ready to be evaluated.

    Attributes:
        key: The flag's key.
        definition: The flag itself.
        evaluate: Decides the flag for one subject. The outcomes of the flags it depends on must be there already.
        targets: Keys of the flags its conditions ask about.
        work: How much one evaluation may cost, in filters and conditions.
    """

    def __init__(self, flag: Flag, tools: Tools, *, lacks_dependency: bool) -> None:
        self.key = flag.key
        self.definition = flag
        self.outcomes = Outcomes(flag)
        self.prefix = f"{flag.key}.".encode()
        self.split = Split(flag.variants)
        variants = frozenset(variant.key for variant in flag.variants)
        self.conditions = tuple(
            Condition(condition, index, self.split, variants, tools) for index, condition in enumerate(flag.conditions)
        )
        self.early_exit = flag.early_exit
        self.bucket_by_device = flag.bucket_by_device
        self.is_continued = flag.ensure_experience_continuity and not flag.bucket_by_device
        self.held_out = None if flag.holdout is None else self.outcomes.held_out(flag.holdout.id)
        self.holdout = holdout_share(0.0 if flag.holdout is None else flag.holdout.exclusion_percentage)
        self.targets = tools.targets.of(flag)
        self.work = 1 + sum(1 + len(condition.properties) for condition in flag.conditions)
        self.evaluate: Evaluate = self._fixed(lacks_dependency) or self._enrolling() or self._undecided()

    def identity(self, condition: Condition, subject: Subject) -> Identity:
        """Return what a condition buckets by (contract §5.8)."""
        if condition.group_type_index is not None:
            return subject.group(condition.group_type_index).identity
        if self.bucket_by_device and subject.device is not None:
            return subject.device
        return subject.continued_identity(self.key) if self.is_continued else subject.identity

    def holdout_identity(self, subject: Subject) -> Identity:
        """Return what the holdout hashes: as the flag aggregates, never a stored override; without a group key nothing."""
        index = self.definition.aggregation.group_type_index
        if index is not None:
            identity = subject.group(index).identity
            return b"" if identity is Bucket.NOBODY else identity
        if self.bucket_by_device and subject.device is not None:
            return subject.device
        return subject.unstored_identity() if self.is_continued else subject.identity

    def _fixed(self, lacks_dependency: bool) -> Evaluate | None:  # noqa: FBT001 - a step of __init__
        """Make the evaluation of a flag that has no answer of its own: a server fails it, here another service may not."""
        flag, outcomes = self.definition, self.outcomes
        if flag.defect is not None:
            text = f"Failed to parse flag data: {flag.defect.path} {flag.defect.message}"
            return _by_position(outcomes.failed(FLAG_DEFECT, description=text), outcomes.unknown(FLAG_DEFECT))
        if flag.config_version != V1:
            text = "Failed to parse flag data: unsupported config version"
            failed = outcomes.failed(FLAG_DEFECT, description=text, why=CONFIG_UNSUPPORTED)
            return _by_position(failed, outcomes.unknown(CONFIG_UNSUPPORTED))
        if lacks_dependency:
            unknown = outcomes.unknown(DEPENDENCY_MISSING, reason=Reason.MISSING_DEPENDENCY)
            return _by_position(outcomes.lacking_dependency(), unknown)
        return None

    def _enrolling(self) -> Evaluate | None:
        """Make the evaluation of a flag with early access, where a person's own choice comes first (contract §5.4)."""
        if not self.definition.feature_enrollment:
            return None
        name = f"$feature_enrollment/{self.key}"
        chosen = {True: self.outcomes.enrolled(enabled=True), False: self.outcomes.enrolled(enabled=False)}
        unknown = self.outcomes.unknown(ENROLLMENT_UNKNOWN)
        otherwise = self._undecided()

        def evaluate(subject: Subject) -> Outcome:
            properties = subject.view.properties
            if name in properties:
                return chosen[_is_yes(properties[name])]
            return otherwise(subject) if subject.complete else subject.noted(unknown)

        return evaluate

    def _undecided(self) -> Evaluate:
        """Make the evaluation of the conditions, fast where they all bucket alike and nothing needs the walk's care."""
        group_types = {condition.group_type_index for condition in self.conditions}
        needs_care = self.bucket_by_device or any(condition.asks_behaviour for condition in self.conditions)
        if self.held_out is not None or needs_care or len(group_types) > 1:
            return lambda subject: walk(self, subject)
        return plain_evaluation(self, self._identify(next(iter(group_types), None)))

    def _identify(self, group_type_index: int | None) -> Callable[[Subject], Identity]:
        if group_type_index is not None:
            return lambda subject: subject.group(group_type_index).identity
        return (lambda subject: subject.continued_identity(self.key)) if self.is_continued else PERSON


def _by_position(on_server: Outcome, local: Outcome) -> Evaluate:
    return lambda subject: subject.noted(on_server if subject.complete else local)


def _is_yes(value: Json) -> bool:
    return value is True or value == "true"
