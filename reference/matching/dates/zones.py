"""Which instant a wall-clock reading means in a time zone, and what every zone of the world would make of it.

On the overlap when clocks go back the earlier instant counts; a reading in the gap when they go forward is no instant.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from .civil import SECOND, Instant, Wall, datetime_near, is_in_calendar, wall_of_datetime

UTC_ZONE: Final = ZoneInfo("UTC")

# Zones that disagree the most stand first, so that a sweep over all of them ends early when the answer depends on the zone.
_EXTREMES: Final = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Europe/London", "Asia/Tokyo")


def instant_in(wall: Wall, zone: ZoneInfo) -> Instant | None:
    """Return the instant at which clocks of `zone` show `wall`; None when they skip it."""
    if zone is UTC_ZONE:
        return Instant(wall)
    near = datetime_near(wall)
    offset = _seconds(near.replace(tzinfo=zone).utcoffset())
    later = _seconds(near.replace(tzinfo=zone, fold=1).utcoffset())
    # PEP 495: fold=0 is the offset before a transition. Smaller before than after means the clock jumped over `wall`.
    instant = Instant(wall - offset * SECOND)
    return instant if offset >= later and is_in_calendar(instant) else None


def wall_in(now: datetime, zone: ZoneInfo) -> Wall:
    """Return what clocks of `zone` show at `now`."""
    return wall_of_datetime(now.astimezone(zone).replace(tzinfo=None))


def instant_of(now: datetime) -> Instant:
    """Return an aware datetime as an instant."""
    return Instant(wall_of_datetime(now.astimezone(UTC).replace(tzinfo=None)))


def datetime_of(instant: Instant) -> datetime:
    """Return an instant of a year `datetime` knows, to the second."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=instant // SECOND)


@lru_cache(maxsize=1)
def every_zone() -> tuple[ZoneInfo, ...]:
    """Return every zone a team can have, the most different ones first; the first call reads them all (0.1 s)."""
    names = [name for name in sorted(available_timezones()) if name not in _EXTREMES]
    return tuple(ZoneInfo(name) for name in (*_EXTREMES, *names))


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset.days * 86_400 + offset.seconds
