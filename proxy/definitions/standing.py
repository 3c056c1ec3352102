"""What the definitions held say about each flag that answers may be remembered of: its version, and since when that is so.

"Off means off": a remembered record counts only while the definitions have nothing newer to say, and never once they say
that its flag is inactive or gone. About a flag that was never listed (surveys, encrypted ones) they say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from reference.definitions.model import Definitions, Flag
from reference.response import Record
from reference.steps import Steps

GONE_KEPT: Final = 10_000
"""Deleted flags remembered as such, the latest ones."""

OFF_REASON: Final = "flag_disabled"
OFF_TEXT: Final = "Feature flag is disabled"
AT_FIRST: Final = -math.inf


class Standing(msgspec.Struct, frozen=True):
    """One flag.

    Attributes:
        flag: Its definition; of one that is no longer listed, the last.
        since: When this came to be held, on the monotonic clock; `AT_FIRST` for what was there from the beginning.
        is_listed: The definitions held have it.
    """

    flag: Flag
    since: float
    is_listed: bool = True

    @property
    def is_on(self) -> bool:
        """The flag is listed, active and not deleted."""
        return self.is_listed and self.flag.active and not self.flag.deleted

    def lets_count(self, version: int, *, stored_at: float) -> bool:
        """Tell whether a record still counts.

        Args:
            version: The record's `metadata.version`; 0 where its shape has none.
            stored_at: When it was remembered, on the monotonic clock.
        """
        if version > self.flag.version > 0:
            return True  # upstream knew more than the definitions do yet
        if not self.is_on:
            return not self.is_listed and stored_at > self.since  # upstream gave it after it had left the list: it lives on
        if version > 0 < self.flag.version:
            return version == self.flag.version
        return stored_at > self.since


Standings = Mapping[str, Standing]


def standings(definitions: Definitions, before: Standings | None, *, now: float) -> Steps[Standings]:
    """Compare new definitions with what was held before; `before` None: these are the first."""
    found: dict[str, Standing] = {}
    for flag in definitions.flags:
        earlier = None if before is None else before.get(flag.key)
        if before is None:
            found[flag.key] = Standing(flag, AT_FIRST)
        elif earlier is not None and earlier.is_listed and earlier.flag == flag:
            found[flag.key] = earlier
        else:
            found[flag.key] = Standing(flag, now)
        yield
    return {**_gone(found, before or {}, now=now), **found}


def _gone(listed: Standings, before: Standings, *, now: float) -> Standings:
    gone = [
        (key, Standing(earlier.flag, now, is_listed=False) if earlier.is_listed else earlier)
        for key, earlier in before.items()
        if key not in listed
    ]
    gone.sort(key=lambda item: item[1].since)
    return dict(gone[-GONE_KEPT:])


def off_record(flag: Flag) -> Record:
    """Return the record that says a flag is off, for callers who would otherwise keep what they know."""
    return Record(
        key=flag.key,
        value=False,
        reason=OFF_REASON,
        description=OFF_TEXT,
        flag_id=flag.id,
        flag_version=flag.version,
        has_experiment=flag.has_experiment,
    )


def off_flags(known: Standings, keys: Iterable[str] | None = None) -> list[Flag]:
    """Return the flags that are off: of `keys`, or of all that are known."""
    of = known.values() if keys is None else (known[key] for key in keys if key in known)
    return [standing.flag for standing in of if not standing.is_on]
