"""Ask one filter about one set of properties, in a line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.matching.match import Match, Moment, Unsure, View
from reference.matching.operators import compile_filter

NOW: Final = datetime(2024, 3, 31, 12, tzinfo=UTC)
ABSENT: Final = object()


def ask(
    operator: str,
    wanted: Any,
    value: Any = ABSENT,
    *,
    complete: bool = True,
    explicit: bool = False,
    zone: str | None = "UTC",
    now: datetime = NOW,
) -> Match:
    """Compile a person filter on `k` and ask it about `value` (by default: no such key)."""
    compiled = compile_filter(
        PropertyFilter(key="k", type=FilterType.PERSON, operator=Operator(operator), value=wanted), explicit_matching=explicit
    )
    properties = {} if value is ABSENT else {"k": value}
    return compiled(View(properties, Moment(now, None if zone is None else ZoneInfo(zone)), complete=complete))


def said(answer: Match) -> bool | str:
    """Return an answer in a form that compares: True, False, "INVALID", or why it is unsure."""
    match answer:
        case bool():
            return answer
        case Unsure():
            return answer.why
        case _:
            return repr(answer)
