"""Orders of operators as records, and the file that outlives the processes.

An order is in force until it is taken back or its time is over. On disk its end is a wall-clock second, because nothing else
means anything to the next process; between living processes only the seconds left are said, so that a clock that steps neither
lengthens nor shortens an order. The file is private like the folder it is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from proxy.process.control.messages import BreakerForced, Orders, SwitchTurned
from proxy.process.family import write_private

FILE: Final = "switches.json"
_FORMAT: Final = 1

Place: TypeAlias = tuple[str, str, str | None]
"""What an order is about: the kind, the name of the switch or upstream, and the project (None: all). One order a place."""


class _Order(Struct, frozen=True, kw_only=True, tag_field="order"):
    """What every order says.

    Attributes:
        project: For whom; None: for every project.
        since: Unix second at which it was given.
        until: Unix second at which it is over; None: when it is taken back.
        reason: Why, in the operator's words.
        by: Who, as the operator said; empty: nobody said.
    """

    project: str | None
    since: float
    until: float | None
    reason: str
    by: str = ""


class Turned(_Order, frozen=True, kw_only=True, tag="switch"):
    """A switch was turned: `switch` is one of `answer.switches.NAMES`, `on` its position."""

    switch: str
    on: bool

    @property
    def place(self) -> Place:
        """What this is about."""
        return ("switch", self.switch, self.project)


class Forced(_Order, frozen=True, kw_only=True, tag="breaker"):
    """A breaker was forced open or closed; `project` None: the upstream's own."""

    upstream: str
    state: Literal["open", "closed"]

    @property
    def place(self) -> Place:
        """What this is about."""
        return ("breaker", self.upstream, self.project)


Order: TypeAlias = Turned | Forced


class _Orders(Struct, frozen=True):
    """The file."""

    orders: tuple[Order, ...]
    format: int = _FORMAT


def left_s(order: Order, *, now: float) -> float | None:
    """Return the seconds an order is still in force at a Unix second; None: without end; 0 or less: it is over.

    Never more than it was given for: a clock that was set back while nobody ran must not lengthen it.
    """
    return None if order.until is None else min(order.until - now, order.until - order.since)


def as_told(rows: Iterable[tuple[Order, float | None]]) -> Orders:
    """Return orders, each with the seconds left, in the form in which workers are told."""
    switches: list[SwitchTurned] = []
    breakers: list[BreakerForced] = []
    for order, left in rows:
        match order:
            case Turned():
                switches.append(SwitchTurned(order.switch, order.on, order.project, left))
            case Forced():
                breakers.append(BreakerForced(order.upstream, order.state, order.project, left))
    return Orders(tuple(switches), tuple(breakers))


def store(runtime: str | Path, orders: Iterable[Order]) -> None:
    """Replace the file in one step. Raises `OSError`."""
    write_private(Path(runtime) / FILE, msgspec.json.encode(_Orders(tuple(orders))))


def recall(runtime: str | Path, *, now: float) -> list[Order] | str:
    """Return the orders on disk that are still in force at a Unix second, or why they cannot be read."""
    try:
        found = msgspec.json.decode((Path(runtime) / FILE).read_bytes(), type=_Orders)
    except FileNotFoundError:
        return []
    except OSError as error:
        return error.strerror or type(error).__name__
    except msgspec.DecodeError:
        return "it is not in the form that this release writes"
    return [order for order in found.orders if (left := left_s(order, now=now)) is None or left > 0]
