"""What a run is to do, as the parent tells the Locust child."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

PLAN_VARIABLE: Final = "HOLDFAST_LOAD_PLAN"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        url: The server, scheme and host and port.
        rate: Requests a second, of all users together.
        duration_s: How long requests are started for.
        users: Distinct people, each with connections of their own.
        token: The project token that requests carry.
        seed: Of the arrival schedule.
        outcome: Path of the file that the child writes.
        expect: Path of a file of right answers (`flags-harness expect`); empty: answers are not held against any.
    """

    url: str
    rate: Annotated[float, Meta(gt=0)]
    duration_s: Annotated[float, Meta(gt=0)]
    users: Annotated[int, Meta(ge=1)]
    token: str
    seed: int
    outcome: str
    expect: str = ""
