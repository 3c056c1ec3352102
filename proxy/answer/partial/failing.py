"""The failure policy of single flags: one table of what may answer for a flag that upstream does not say, and who may not.

| `failure`     | remembered may answer | definitions may answer | value       | marked (`reason.code`) |
|---------------|-----------------------|------------------------|-------------|------------------------|
| `fail-static` | yes                   | yes                    | –           | –                      |
| `fail-open`   | no                    | no                     | `true`      | `fail_open`            |
| `fail-closed` | no                    | no                     | `false`     | `fail_closed`          |
| `fixed-value` | no                    | no                     | the flag's  | `fixed_value`          |

A flag's `stale` and `local` override the two answers of its row; the value is then the last resort. Off means off: that a flag
is known to be off is never barred, and no value is given for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from proxy.answer.answer import Source
from proxy.answer.request import FlagsRequest
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import Envelope, Record, remembered
from proxy.config.settings import FlagPolicy, Policy
from proxy.definitions.standing import OFF_REASON
from proxy.pauses import in_slices


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row, with a flag's own settings laid over it.

    Attributes:
        may_be_stale: A remembered value may answer.
        may_be_local: The definitions held may answer.
        value: What is given when nothing else may or can answer; None: nothing.
        reason: `reason.code` of such an answer.
    """

    may_be_stale: bool
    may_be_local: bool
    value: bool | str | None = None
    reason: str = ""


TABLE: Final[Mapping[str, Rule]] = {
    "fail-static": Rule(may_be_stale=True, may_be_local=True),
    "fail-open": Rule(may_be_stale=False, may_be_local=False, value=True, reason="fail_open"),
    "fail-closed": Rule(may_be_stale=False, may_be_local=False, value=False, reason="fail_closed"),
    "fixed-value": Rule(may_be_stale=False, may_be_local=False, reason="fixed_value"),
}


@lru_cache(maxsize=4096)
def rule_of(flag: FlagPolicy) -> Rule:
    """Return what holds for a flag."""
    row = TABLE[flag.failure]
    return replace(
        row,
        may_be_stale=row.may_be_stale if flag.stale is None else flag.stale,
        may_be_local=row.may_be_local if flag.local is None else flag.local,
        value=row.value if flag.value is None else flag.value,
    )


def configured(key: str, rule: Rule) -> Record | None:
    """Return a flag's record with its configured value; None when it has none."""
    if rule.value is None:
        return None
    variant = rule.value if isinstance(rule.value, str) else None
    return Record(
        key=key,
        enabled=rule.value is not False,
        variant=variant,
        value=rule.value,
        reason=rule.reason,
        description="Configured for when the flag service cannot say",
    )


def fresh_s(policy: Policy, keys: AbstractSet[str]) -> float:
    """Return how long an answer with these flags is fresh: as long as the first of them."""
    own = [flag.fresh_s for key in policy.flags.keys() & keys if (flag := policy.flags[key]).fresh_s is not None]
    others = [policy.fresh_s] if len(own) < len(keys) or not keys else []
    return min(own + others)


async def sifted(request: FlagsRequest, filled: Filled) -> Filled:
    """Return what a rung has without the records that may not answer; unchanged where no flag has a policy of its own."""
    policy = request.policy
    if not policy.flags:
        return filled
    barred = {key for key, flag in policy.flags.items() if _is_barred(flag, filled, policy)}
    is_late = filled.source is Source.STALE and filled.age_s >= policy.stale_if_error_s
    if not barred and not is_late:
        return filled
    records, envelope = await _opened(filled)
    kept = {
        key: record
        for key, record in records.items()
        if _says_off(record) or (key not in barred and (not is_late or key in policy.flags))
    }
    if len(kept) == len(records):
        return filled
    lacking = (filled.lacking or frozenset()) | (records.keys() - kept.keys())
    return replace(filled, content=None, records=kept, envelope=envelope, lacking=lacking)


def _is_barred(flag: FlagPolicy, filled: Filled, policy: Policy) -> bool:
    match filled.source:
        case Source.STALE:
            window_s = policy.stale_if_error_s if flag.stale_if_error_s is None else flag.stale_if_error_s
            return not rule_of(flag).may_be_stale or filled.age_s >= window_s
        case Source.LOCAL:
            return not rule_of(flag).may_be_local
        case _:
            return False


def _says_off(record: Record) -> bool:
    return record.reason == OFF_REASON and not record.enabled


async def _opened(filled: Filled) -> tuple[Mapping[str, Record], Envelope | None]:
    if filled.content is None:
        return filled.records, filled.envelope
    answer = await in_slices(remembered(filled.content.body))
    return ({}, None) if answer is None else (answer.records, answer.envelope)
