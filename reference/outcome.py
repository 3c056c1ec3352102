"""What an evaluation says about one flag, and about the whole request.

`value` and `payload` are only to be read when the status is `VALUE`. An inconclusive outcome means that some completion of
what is unknown would change the value, variant or payload; a failed one is what the service marks `failed: true`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from .json import Json


class Status(StrEnum):
    """How much an outcome may be relied on."""

    VALUE = "value"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Reason(StrEnum):
    """Reason codes of PostHog's wire (flags-service.md 5.5); failures carry the service's own code text instead."""

    CONDITION_MATCH = "condition_match"
    NO_CONDITION_MATCH = "no_condition_match"
    OUT_OF_ROLLOUT_BOUND = "out_of_rollout_bound"
    NO_GROUP_TYPE = "no_group_type"
    SUPER_CONDITION_VALUE = "super_condition_value"
    HOLDOUT_CONDITION_VALUE = "holdout_condition_value"
    FLAG_DISABLED = "flag_disabled"
    MISSING_DEPENDENCY = "missing_dependency"


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One flag's result.

    Attributes:
        key: The flag's key.
        status: Whether there is a value, and if not, why not (`why`).
        enabled: Always False unless the status is VALUE.
        variant: Variant key, or None for a boolean answer.
        payload: The stored payload of the variant (or of `"true"`), normally a JSON-encoded string; None when there is none.
        reason: A `Reason` value, or the service's failure code (`dependency_cycle_cohort`, …).
        condition_index: Stored position of the condition set that gave the reason, or None.
        description: The service's human text for the reason.
        flag_id: The flag's numeric id, 0 when the definitions have none.
        flag_version: The flag's own version counter, 0 when absent.
        has_experiment: As the definitions say; None when they do not.
        config_version: 1, or 2 for rules v2.
        why: For inconclusive and failed outcomes: what was not known or what is wrong, in a fixed vocabulary
            (`property_unknown`, `regex_not_portable`, …) and never with a person's data in it.
    """

    key: str
    status: Status
    enabled: bool = False
    variant: str | None = None
    payload: Json = None
    reason: str = Reason.NO_CONDITION_MATCH
    condition_index: int | None = None
    description: str = ""
    flag_id: int = 0
    flag_version: int = 0
    has_experiment: bool | None = None
    config_version: int = 1
    why: str | None = None

    @property
    def value(self) -> bool | str:
        """The flag value as SDKs see it: the variant where there is one, else `enabled`."""
        return self.enabled if self.variant is None else self.variant


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All outcomes of one request; a flag that is omitted from the answer is absent here.

    Attributes:
        outcomes: Flag key → outcome, in evaluation order.
        errors: The service would set `errorsWhileComputingFlags` (a failed flag, or a dependency cycle).
        is_certain: Every flag that was looked at has a value.
    """

    outcomes: Mapping[str, Outcome]
    errors: bool = False
    is_certain: bool = False
