"""What the un-faulted service says: asked of the very service, without faults, for each version of the definitions.

An answer is right when it is what that service said for this user at a time that its label allows: now for a live one, `Age`
ago for a remembered one. Filled and local answers are held to it flag by flag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import web

from reference.service.app import build
from reference.service.project.project import load_catalogue

from .documents import VERSIONS, body, document
from .shot import OK, Contents, Shot, Values
from .wire.pool import Pool, request_of

RELOAD_S: Final = 1.0
"""Longest time from a changed file to answers of it: the service looks every half a second."""

CLOCKS_S: Final = 0.15
"""For what happens between an answer's last byte and the moment that is noted."""

COLLAPSED_S: Final = 2.8
"""A question that was joined may have been asked so long before: a flight ends with its longest deadline."""

_ASKED_AT_ONCE: Final = 32


class Change(msgspec.Struct, frozen=True):
    """A version of the definitions, and when its file was put in place."""

    version: int
    at: float


class Wrong(msgspec.Struct, frozen=True):
    """An answer that nothing excuses.

    Attributes:
        shot: It.
        why: In words, without anything of the request.
    """

    shot: Shot
    why: str


class Truth:
    """What is true for each user under each version."""

    def __init__(self, values: Mapping[tuple[int, str], Values]) -> None:
        self._values = values

    def of(self, user: str, version: int) -> Values:
        """Return what the service says for a user under one version."""
        return self._values[version, user]

    def allowed(self, shot: Shot, changes: Sequence[Change], *, late_s: float, is_mixed: bool = False) -> list[Values]:
        """Return all that may have been true for a request's user when its answer says that it was."""
        spans = _spans(shot, late_s, is_mixed=is_mixed)
        return [self._values[version, shot.user] for version in versions_in(changes, spans)]

    def check(
        self, shot: Shot, given: Values, changes: Sequence[Change], *, late_s: float, holds_definitions: bool = False
    ) -> str:
        """Return what is wrong with an answer; "" when nothing is.

        Args:
            shot: A request that was answered with flags.
            given: These.
            changes: When the truth changed, in order.
            late_s: How late answers of the service itself may be in this scenario.
            holds_definitions: What is remembered may be mixed with what definitions say.
        """
        is_mixed = _is_mixed(shot, holds_definitions=holds_definitions)
        allowed = self.allowed(shot, changes, late_s=late_s, is_mixed=is_mixed)
        if any(given == values for values in allowed):
            return ""
        if not is_mixed:
            return _difference(given, allowed)
        return _piecewise(given, allowed, has_errors=shot.has_errors)


def version_at(changes: Sequence[Change], at: float) -> int:
    """Name the version that was put in place last at a time."""
    return max((change for change in changes if change.at <= at), key=lambda change: change.at).version


def versions_in(changes: Sequence[Change], spans: Iterable[tuple[float, float]]) -> list[int]:
    """Name the versions that may have been in force at some time of some span."""
    found = set()
    for start, end in spans:
        for change, following in zip(changes, [*changes[1:], None], strict=True):
            until = float("inf") if following is None else following.at + RELOAD_S
            if change.at <= end and until >= start:
                found.add(change.version)
    return sorted(found)


def _spans(shot: Shot, late_s: float, *, is_mixed: bool) -> list[tuple[float, float]]:
    """Return when what an answer says may have been true: now, or its age ago; a mixed one is as old as its oldest piece."""
    early = late_s + CLOCKS_S + (COLLAPSED_S if shot.is_collapsed else 0.0)
    now = (shot.sent_at - early, shot.received_at)
    if shot.age_s is None:
        return [now]
    then = (shot.sent_at - shot.age_s - 1.0 - early, shot.received_at - shot.age_s)
    return [(then[0], now[1])] if is_mixed else [then]


def _is_mixed(shot: Shot, *, holds_definitions: bool) -> bool:
    return shot.trouble == "partial" or (holds_definitions and shot.detail in {"local", "stale"})


def _piecewise(given: Values, allowed: Sequence[Values], *, has_errors: bool) -> str:
    for key, value in given.items():
        if not any(value == values.get(key, _OFF) for values in allowed):
            return f"{key} is {value}, which it was at no time that the label allows"
    missing = {key for values in allowed for key in values} - given.keys()
    if any(all(key in values for values in allowed) for key in missing) and not has_errors:
        return "it lacks a flag and does not say so"
    return ""


_OFF: Final = (False, None, None)
"""What an assembled answer says of a flag that is off, and the service leaves out."""


def _difference(given: Values, allowed: Sequence[Values]) -> str:
    if not allowed:
        return "no version of the definitions was in force at the time that its label says"
    nearest = min(allowed, key=lambda values: _unlike(given, values))
    missing, extra = sorted(nearest.keys() - given.keys()), sorted(given.keys() - nearest.keys())
    other = sorted(key for key in given.keys() & nearest.keys() if given[key] != nearest[key])
    return f"lacks {missing[:3]}, has {extra[:3]} too, differs in {other[:3]}"


def _unlike(given: Values, values: Values) -> int:
    return sum(given.get(key) != values.get(key) for key in given.keys() | values.keys())


async def truth_for(users: Sequence[str]) -> Truth:
    """Ask the un-faulted service for everybody, under every version."""
    found: dict[tuple[int, str], Values] = {}
    for version in range(VERSIONS):
        runner = web.AppRunner(build(load_catalogue(document(version))), access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        contents = Contents()
        shots = await _asked(runner.addresses[0][1], users, contents)
        await runner.cleanup()
        for shot in shots:
            if shot.status != OK or shot.content is None:
                raise RuntimeError(f"the un-faulted service answered {shot.status}")
            found[version, shot.user] = contents.values[shot.content]
    return Truth(found)


async def _asked(port: int, users: Sequence[str], contents: Contents) -> list[Shot]:
    pool, shots = Pool(port, contents), []
    await pool.open(_ASKED_AT_ONCE)
    for start in range(0, len(users), _ASKED_AT_ONCE):
        batch = [Shot(user, is_known=False, due_at=0.0) for user in users[start : start + _ASKED_AT_ONCE]]
        for shot in batch:
            pool.fire(shot, request_of(body(shot.user)))
        while not all(shot.received_at for shot in batch):  # noqa: ASYNC110 - at most a few milliseconds
            await asyncio.sleep(0.001)
        shots += batch
    await pool.close()
    return shots
