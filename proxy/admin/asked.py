"""What operators send: JSON bodies in a closed form, and what the audit line says about them.

A body may name a person, so none of it reaches the log but what a route puts into `ABOUT`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from proxy.config.settings import Settings

from .reply import as_json

T = TypeVar("T")

ABOUT: Final = web.RequestKey("about", dict[str, Any])
"""What a route wants the audit line to say, beside who called what and how it ended."""

DEFAULT_FOR_S: Final = 3600.0
"""An order ends after an hour unless something else is said: what is switched off in a hurry is forgotten in peace."""

ALONE: Final = "default"
"""The one project there is when none is configured."""

Span = Annotated[float, Meta(gt=0, le=30 * 86_400)]


class Ordered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every order says.

    Attributes:
        project: For whom; null: every project. It must be said: nobody should reach all by forgetting a word.
        reason: Why, 1 to 200 characters; it stands in the log and in the status.
        by: Who, for the log.
        for_s: Seconds until it is over by itself, at most 30 days; left out: an hour; null: until it is taken back.
    """

    project: str | None
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    by: Annotated[str, Meta(max_length=100)] = ""
    for_s: Span | UnsetType | None = UNSET

    def until(self, now: float) -> float | None:
        """Return the Unix second of its end."""
        seconds = DEFAULT_FOR_S if self.for_s is UNSET else self.for_s
        return None if seconds is None else now + seconds


async def read(request: web.Request, form: type[T]) -> T | web.Response:
    """Return a body in its form, or the answer that says where it is wrong."""
    try:
        return msgspec.json.decode(await request.read(), type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json({"error": f"body: {error}"}, HTTPStatus.BAD_REQUEST)


def unknown_project(settings: Settings, project: str | None) -> web.Response | None:
    """Return the answer to a project that is not configured; None: it is, or all are meant."""
    known = settings.projects.keys() or {ALONE}
    if project is None or project in known:
        return None
    return as_json({"error": "no project of this name is configured"}, HTTPStatus.NOT_FOUND)


def note(request: web.Request, **about: object) -> None:
    """Have the audit line say this too. Names, numbers and an operator's own words; never a token or an identity."""
    request[ABOUT] = about
