"""Tells a refusal from an outage by asking upstream the same with a key of the proxy's own, and looking at other callers'.

A control counts only if it was asked after the refusal; it is never the very key in question; and a quota is a project's, so
that only other projects can speak about a 402. One that has failed for longer than a refusal is held is none: it may have been
revoked itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from hmac import compare_digest
from typing import Final, TypeAlias

import msgspec

from proxy.answer.answer import Failure, Whole
from proxy.clock import Clock
from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Project
from proxy.definitions.acceptance import Opening

from .asked import Seal
from .meter import Meter
from .records import Record, Records
from .verdict import HOLD_S, QUOTA, Accepted, Others, verdict

MOST_ASKED: Final = 3
"""Other projects that are asked when the own one cannot say."""

SERIES_S: Final = 2 * HOLD_S
"""Longest time between failures of one series."""

RECENT_S: Final = 5.0
"""For a key that was never accepted a control of this age will do, so that made-up keys cost upstream next to nothing."""

AskAs: TypeAlias = Callable[[str, Secret], Awaitable["Whole | Failure"]]
"""Asks for a project's definitions with a key of ours, conditionally where there is something to compare."""


class Control(msgspec.Struct):
    """One project's own key and how it fared.

    Attributes:
        asked_at: When it was last asked, monotonic; the answer may be later.
        is_accepted: What came of it.
        failing_since: Since when it has not been accepted.
    """

    asked_at: float = -1e18
    is_accepted: bool = False
    failing_since: float | None = None
    turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    def put(self, asked_at: float, *, is_accepted: bool) -> None:
        """Note how it fared; failures with much time between them are not one series."""
        if is_accepted:
            self.failing_since = None
        elif self.failing_since is None or asked_at - self.asked_at > SERIES_S:
            self.failing_since = asked_at
        self.asked_at, self.is_accepted = asked_at, is_accepted


class Controls:
    """The proxy's own keys as witnesses."""

    def __init__(self, *, records: Records, seal: Seal, clock: Clock, meter: Meter, environ: Mapping[str, str]) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock
        self._meter = meter
        self._environ = environ
        self._projects: Mapping[str, Project] = {}
        self._controls: dict[str, Control] = {}

    def reconfigure(self, projects: Mapping[str, Project], ask_as: AskAs) -> None:
        """Take another configuration."""
        self._projects = {name: project for name, project in projects.items() if project.definitions is not None}
        self._controls = {name: self._controls.get(name) or Control() for name in self._projects}
        self._ask_as = ask_as

    async def others(
        self, opening: Opening, record: Record | None, *, status: int, heard_since: float | None = None
    ) -> tuple[Others, float]:
        """Say how upstream treats other keys, and for how many seconds it has refused this one or its witnesses.

        Args:
            opening: What was refused.
            record: Its record; None for a key that upstream never accepted.
            status: Of the refusal.
            heard_since: Other callers' keys speak for upstream if it accepted them since then; None: they do not.
        """
        now = self._clock.monotonic()
        since = now if record is None else record.refused_since or now
        if heard_since is not None and self._has_accepted_others(opening, since=heard_since, status=status):
            return Others.ACCEPTED, now - since
        witnesses = [(name, key) for name, key in self._witnesses(opening, status)][:MOST_ASKED]
        if not witnesses:
            return Others.NONE, now - since
        oldest = now if record is not None else now - RECENT_S
        asked = [await self._asked(name, key, since=oldest) for name, key in witnesses]
        if any(control.is_accepted for control in asked):
            return Others.ACCEPTED, now - since
        return Others.NOT_ACCEPTED, now - (since if record is not None else self._failing_since(opening.project, asked, now))

    def _has_accepted_others(self, opening: Opening, *, since: float, status: int) -> bool:
        upstream = self._upstream(opening.project)

        def is_no_witness(other: Opening) -> bool:
            is_same = compare_digest(other.hmac, opening.hmac) or (status == QUOTA and other.project == opening.project)
            return is_same or self._upstream(other.project) != upstream

        return self._records.is_any_accepted(since=since, but=is_no_witness)

    def _witnesses(self, opening: Opening, status: int) -> Iterator[tuple[str, Secret]]:
        """Yield who can speak: the project's own key alone where it can, else those of other projects of the same upstream."""
        own = self._witness(opening.project, opening) if status != QUOTA else None
        if own is not None:
            yield opening.project, own
            return
        upstream = self._upstream(opening.project)
        for name, project in self._projects.items():
            if name != opening.project and project.upstream == upstream:
                key = self._witness(name, opening)
                if key is not None:
                    yield name, key

    def _witness(self, name: str, opening: Opening) -> Secret | None:
        project = self._projects.get(name)
        if project is None or project.definitions is None or not project.tokens or self._is_long_failing(name):
            return None
        key = read_secret(project.definitions.key, self._environ)
        is_other = isinstance(key, Secret) and not compare_digest(self._seal(key.reveal()), opening.hmac)
        return key if isinstance(key, Secret) and is_other else None

    def _failing_since(self, project: str, asked: Iterable[Control], now: float) -> float:
        """Return since when the witnesses, and the project's own key, have failed: for a key of which we know nothing else."""
        since = [control.failing_since for control in (self._controls[project], *asked)]
        return min((each for each in since if each is not None), default=now)

    def _is_long_failing(self, name: str) -> bool:
        """Tell whether a key failed when it was last asked, and had for long: asked again once in that time."""
        control, now = self._controls[name], self._clock.monotonic()
        since = control.failing_since
        return since is not None and control.asked_at - since >= HOLD_S and now - control.asked_at < HOLD_S

    async def _asked(self, name: str, key: Secret, *, since: float) -> Control:
        control = self._controls[name]
        async with control.turn:
            if control.asked_at < since:
                asked_at = self._clock.monotonic()
                self._meter.controls += 1
                found = verdict(await self._ask_as(name, key), is_conditional=True)
                control.put(asked_at, is_accepted=isinstance(found, Accepted))
        return control

    def _upstream(self, project: str) -> str | None:
        found = self._projects.get(project)
        return None if found is None else found.upstream
