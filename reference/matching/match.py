"""The four answers of a comparison, and the view of properties it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias, final
from zoneinfo import ZoneInfo

from reference.json import Json


@final
class Invalid:
    """The comparison could not be made (marked E in flags-service.md 7): a mismatch wherever a boolean is needed."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = Invalid()


@final
class Unsure:
    """The answer depends on something unknown; `why` names it from a fixed vocabulary, without any person's data."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def __bool__(self) -> bool:
        raise TypeError("an Unsure answer has no truth value; test its type first")

    def __repr__(self) -> str:
        return f"Unsure({self.why!r})"


Match: TypeAlias = "bool | Invalid | Unsure"


@final
class Moment:
    """The instant of the evaluation and the team's time zone.

    Attributes:
        now: Aware UTC datetime.
        zone: The team's zone; None when it is not known.
    """

    __slots__ = ("now", "zone")

    def __init__(self, now: datetime, zone: ZoneInfo | None) -> None:
        self.now = now
        self.zone = zone


@final
class View:
    """The properties of one person or group as a filter sees them.

    Attributes:
        properties: What is known to be set (JSON null counts as set).
        complete: True: an absent key is unset. False: an absent key is unknown.
        moment: For dates.
    """

    __slots__ = ("complete", "moment", "properties")

    def __init__(self, properties: dict[str, Json], moment: Moment, *, complete: bool) -> None:
        self.properties = properties
        self.complete = complete
        self.moment = moment


Predicate: TypeAlias = Callable[[View], Match]
