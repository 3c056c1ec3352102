"""Probes about the hour: a relative date and people at its edge, asked as of a moment that the probe names.

Only for subjects whose clock can be set (capability `clock`); everybody else's relative dates are kept away from edges.
The moments are those where calendars disagree: ends of months, leap days, the turn of a year, hours that clocks skip.
"""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from harness.case import Case, Document, Person

from .pools import Level
from .structures import flag

THEME: Final = "moment"
NEEDS: Final = frozenset({"clock"})
TEAM_ZONE: Final = "UTC"
"""SDKs take the team's zone to be this one; whoever minds a zone is told it."""
FLAGS: Final = 24
PEOPLE: Final = 24
MOMENTS: Final = (
    "2024-03-31T12:00:00+00:00",
    "2024-02-29T00:00:00+00:00",
    "2025-03-01T23:59:59+00:00",
    "2025-01-01T00:00:00+00:00",
    "2024-12-31T23:30:00+00:00",
    "2026-05-31T06:15:00+00:00",
    "2026-03-29T01:30:00+00:00",
    "2026-10-25T00:30:00+00:00",
    "2026-07-15T12:34:56.789+00:00",
)
RELATIVE: Final = (
    "-0d", "-1h", "-24h", "-36h", "-1d", "-30d", "30d", "-1w", "-52w",
    "-1m", "-2m", "-3m", "-6m", "-12m", "-13m", "-1y", "-4y", "-100y",
)  # fmt: skip
HOSTILE_RELATIVE: Final = (
    "-0m",
    "-9999h",
    "-9999d",
    "-10000d",
    "-0001d",
    "-999y",
    "-2024y",
    "-1s",
    "-1M",
    "-1.5d",
    "- 1d",
    "+1d",
)
OPERATORS: Final = ("is_date_before", "is_date_after", "is_date_exact")
STEPS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
MONTHS: Final = {"m": 1, "y": 12}
ELSEWHERE: Final = timezone(timedelta(hours=5, minutes=45))
BESIDE: Final = (-1_000, -1, 0, 1, 1_000)
"""Milliseconds beside an edge."""


def batch(level: Level, random: Random) -> Case:
    """Return a batch as of one moment; the same source of randomness gives the same batch."""
    moment = random.choice(MOMENTS)
    now = datetime.fromisoformat(moment)
    asked = random.sample(RELATIVE, 6) + (random.sample(HOSTILE_RELATIVE, 3) if level is Level.HOSTILE else [])
    flags = [_flag(random, number, random.choice(asked)) for number in range(FLAGS)]
    people = [_person(random, number, moment, now, random.choice(asked)) for number in range(PEOPLE)]
    return Case({"flags": flags, "group_type_mapping": {}, "cohorts": {}}, people)


def edges(now: datetime, relative: str) -> list[datetime]:
    """Return the instants that one implementation or another takes a relative date for; none for a text of another kind, and
    none before the year 2.

    Months and years end on different days where the day does not exist in the month they lead to: cut to its last day, cut at
    every month passed, or carried over into the next month.
    """  # noqa: D205 — the first sentence is longer than a line
    count, unit = relative.removeprefix("-")[:-1], relative[-1]
    if not count.isdigit() or unit not in (*STEPS, *MONTHS):
        return []
    try:
        found = [now - int(count) * STEPS[unit]] if unit in STEPS else _in_month(now, int(count) * MONTHS[unit])
    except (OverflowError, ValueError):
        return []
    return [edge for edge in found if edge.year > 1]


def _in_month(now: datetime, back: int) -> list[datetime]:
    year, index = divmod(now.year * 12 + now.month - 1 - back, 12)
    first, last = now.replace(year=year, month=index + 1, day=1), calendar.monthrange(year, index + 1)[1]
    days = {min(now.day, last), min(now.day, 28), min(now.day, 29), min(now.day, 30)}
    return [first.replace(day=min(day, last)) for day in sorted(days)] + [first + timedelta(days=now.day - 1)]


def _flag(random: Random, number: int, relative: str) -> Document:
    leaf = {"key": "p", "type": "person", "value": relative, "operator": random.choice(OPERATORS)}
    conditions = [{"properties": [leaf], "rollout_percentage": 100}]
    return flag(number, f"probe-{number}-{random.getrandbits(20):x}", {"groups": conditions})


def _person(random: Random, number: int, moment: str, now: datetime, relative: str) -> Person:
    edge = random.choice(edges(now, relative) or [now])
    return {
        "distinct_id": f"user-{number}-{random.getrandbits(24):x}",
        "person_properties": {"p": _written(random, edge + timedelta(milliseconds=random.choice(BESIDE)))},
        "groups": {},
        "group_properties": {},
        "now": moment,
        "request": {"timezone": TEAM_ZONE},
    }


def _written(random: Random, instant: datetime) -> Any:
    """Write an instant as applications send it; in zones the same instant, read alike by everybody."""
    text = instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    if random.random() < 1 / 6:
        return instant.astimezone(ELSEWHERE).isoformat()
    return text.replace("+00:00", "Z") if random.random() < 2 / 3 else text
