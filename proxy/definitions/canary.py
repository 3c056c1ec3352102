"""What would a new set change for the people who ask? Both sets answer a sample of recent requests; the answers are compared.

Only conclusive values count: what the request does not decide changes nothing that can be seen here. A flag that no longer
exists, or is switched off, is a change for whoever had it on. The sample holds what clients sent: it is never logged, stored or
shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from reference.context import Context
from reference.definitions.model import Definitions
from reference.evaluate import Program, compile_definitions
from reference.outcome import Outcome, Status

SAMPLE_SIZE: Final = 32
"""People compared; with fewer recent requests, made-up people fill up."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One recent request, as far as it decides flags; its repr shows nothing of it."""

    distinct_id: str
    person_properties: dict[str, Any] = {}
    groups: dict[str, Any] = {}
    group_properties: dict[str, dict[str, Any]] = {}
    device_id: str | None = None

    def __repr__(self) -> str:
        return "Asked([redacted])"


def changed_flags(old: Definitions, new: Definitions, *, sample: Sequence[Asked], now: datetime) -> frozenset[str]:
    """Name the flags of the old set whose value changes for at least one person of the sample.

    Args:
        old: What is held.
        new: What would take its place.
        sample: Recent requests, at most `SAMPLE_SIZE` of which count; made-up people fill up.
        now: Aware datetime for relative dates.
    """
    before, after = compile_definitions(old), compile_definitions(new)
    changed: set[str] = set()
    for asked in (*sample[-SAMPLE_SIZE:], *_made_up(SAMPLE_SIZE - len(sample), old)):
        changed |= _changed(asked, before, after, now=now)
    return frozenset(changed)


def live_flags(definitions: Definitions) -> frozenset[str]:
    """Name the flags that can have a value."""
    return frozenset(flag.key for flag in definitions.flags if flag.active and not flag.deleted and flag.defect is None)


def _changed(asked: Asked, before: Program, after: Program, *, now: datetime) -> set[str]:
    context = Context(
        distinct_id=asked.distinct_id,
        person_properties=asked.person_properties,
        groups=asked.groups,
        group_properties=asked.group_properties,
        device_id=asked.device_id,
    )
    old, new = before.evaluate(context, now=now).outcomes, after.evaluate(context, now=now).outcomes
    return {key for key, outcome in old.items() if _differs(outcome, new.get(key))}


def _differs(old: Outcome, new: Outcome | None) -> bool:
    if old.status is not Status.VALUE:
        return False
    if new is None:
        return old.value is not False
    return new.status is Status.VALUE and new.value != old.value


def _made_up(count: int, definitions: Definitions) -> list[Asked]:
    groups = dict.fromkeys(definitions.group_types.values(), "canary")
    return [
        Asked(
            distinct_id=f"holdfast-canary-{number}",
            groups={name: f"{group}-{number}" for name, group in groups.items()},
            device_id=f"holdfast-canary-{number}",
        )
        for number in range(max(0, count))
    ]
