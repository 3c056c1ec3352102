"""The outcomes one flag can have, made once and shared by all requests, with the service's texts (`reasons.json`).

Values are made on first use and kept: a flag has only so many conditions and variants.
"""

from __future__ import annotations

from typing import Final

import msgspec

from reference.definitions.model import Flag
from reference.outcome import Outcome, Reason, Status

BEHAVIOUR_CAVEAT: Final = (
    "This condition targets a behavioral or realtime cohort. Its membership is not fully evaluated here, so this result can "
    "differ from the cohort's member list."
)
GROUPS_CAVEAT: Final = "No matching condition set (group conditions were not evaluated because no group type was provided)"
MISS_TEXTS: Final = {
    Reason.NO_CONDITION_MATCH: "No matching condition set",
    Reason.OUT_OF_ROLLOUT_BOUND: "Out of rollout bound",
    Reason.NO_GROUP_TYPE: "No group type",
}
FAILURE_TEXTS: Final = {
    "cohort_filters_parsing_error": "Failed to parse cohort filters",
    "dependency_cycle_cohort": "Cohort dependency cycle detected",
    "dependency_not_found_cohort": "Cohort dependency not found",
    "dependency_failed": "Flag dependency failed",  # the service's own code and text for this could not be read
}


class Outcomes:
    """Makes and keeps the outcomes of one flag."""

    __slots__ = ("_failures", "_flag", "_matches", "_misses", "_plain", "_unknowns")

    def __init__(self, flag: Flag) -> None:
        self._flag = flag
        self._plain = Outcome(
            key=flag.key,
            status=Status.VALUE,
            flag_id=flag.id,
            flag_version=flag.version,
            has_experiment=flag.has_experiment,
            config_version=flag.config_version,
        )
        self._matches: dict[tuple[int, str | None], Outcome] = {}
        self._misses: dict[tuple[Reason, int | None], Outcome] = {}
        self._failures: dict[str, Outcome] = {}
        self._unknowns: dict[tuple[str, str, int | None], Outcome] = {}

    def matched(self, index: int, variant: str | None) -> Outcome:
        """Make the value of a matching condition."""
        known = self._matches.get((index, variant))
        if known is None:
            known = self._matches[index, variant] = self._with(
                enabled=True,
                variant=variant,
                payload=self._flag.payloads.get("true" if variant is None else variant),
                reason=Reason.CONDITION_MATCH,
                condition_index=index,
                description=f"Matched condition set {index + 1}",
            )
        return known

    def missed(self, reason: Reason, index: int | None) -> Outcome:
        """Make the false of a flag without a matching condition."""
        known = self._misses.get((reason, index))
        if known is None:
            known = self._misses[reason, index] = self._with(
                reason=reason, condition_index=index, description=MISS_TEXTS[reason]
            )
        return known

    def missed_with(self, caveat: str, index: int | None) -> Outcome:
        """Make a targeting miss that says what was not looked at."""
        return self._with(reason=Reason.NO_CONDITION_MATCH, condition_index=index, description=caveat)

    def enrolled(self, *, enabled: bool) -> Outcome:
        """Make the value of an early-access choice; the payload is that of `"true"` even when disabled (contract §5.4)."""
        return self._with(
            enabled=enabled,
            payload=self._flag.payloads.get("true"),
            reason=Reason.SUPER_CONDITION_VALUE,
            condition_index=0,
            description="Super condition value",
        )

    def held_out(self, holdout_id: int) -> Outcome:
        """Make the value of somebody in the flag's holdout."""
        variant = f"holdout-{holdout_id}"
        return self._with(
            enabled=True,
            variant=variant,
            payload=self._flag.payloads.get(variant),
            reason=Reason.HOLDOUT_CONDITION_VALUE,
            description="Holdout condition value",
        )

    def lacking_dependency(self) -> Outcome:
        """Make the false of a flag that depends on one that does not exist: no failure (contract §5.3)."""
        return self._with(reason=Reason.MISSING_DEPENDENCY, description="Flag cannot be evaluated due to missing dependency")

    def failed(self, code: str, *, description: str | None = None, why: str | None = None) -> Outcome:
        """Make a failure with one of the service's codes."""
        known = self._failures.get(code)
        if known is None:
            text = FAILURE_TEXTS[code] if description is None else description
            known = self._failures[code] = self._with(status=Status.FAILED, reason=code, description=text, why=why or code)
        return known

    def unknown(self, why: str, *, reason: Reason = Reason.NO_CONDITION_MATCH, index: int | None = None) -> Outcome:
        """Make an inconclusive outcome; its reason is only where the doubt arose."""
        known = self._unknowns.get((why, reason, index))
        if known is None:
            known = self._unknowns[why, reason, index] = self._with(
                status=Status.INCONCLUSIVE, reason=reason, condition_index=index, why=why
            )
        return known

    def _with(self, **changes: object) -> Outcome:
        return msgspec.structs.replace(self._plain, **changes)
