"""The breakers that a call has to pass: its project's, where the project has one, and the upstream's.

Whose breaker an outcome feeds is said by `outcomes.Feed`: the upstream's failures feed the upstream's, a refusal of a project
feeds the project's, and the upstream's as well where refusals are general or the upstream serves one project only, so that
there is nobody whom leaving it alone would hurt. A caller's mistake feeds none: the upstream works.
"""

from __future__ import annotations

from random import Random

import msgspec

from proxy.answer.answer import Failure
from proxy.answer.request import ProjectName
from proxy.clock import Clock
from proxy.config.settings import Breaker
from proxy.upstream.outcomes import Feed

from .gate import Gate
from .projects import ProjectGates, Spread
from .state import Permit


class Guard:
    """The breakers of one upstream."""

    def __init__(self, settings: Breaker, *, has_one_project: bool, clock: Clock, rng: Random) -> None:
        self.gate = Gate(settings, clock=clock, rng=rng)
        self.projects = ProjectGates(settings, clock=clock, rng=rng)
        self._has_one_project = has_one_project
        self._spread = Spread(window_s=settings.window_s)
        self._clock = clock

    def admit(self, project: ProjectName, *, has_other_source: bool = True) -> Permit | Failure:
        """Let a call through, or say why not and how long to stay away."""
        gate = self.projects.get(project)
        if gate is None:
            return self.gate.admit(has_other_source=has_other_source)
        own = gate.admit(has_other_source=has_other_source)
        if isinstance(own, Failure):
            return own
        permit = self.gate.admit(has_other_source=has_other_source)
        if isinstance(permit, Failure):
            gate.settle(own, is_success=None)
            return permit
        return msgspec.structs.replace(permit, project=own)

    def settle(self, permit: Permit, project: ProjectName, *, feed: Feed | None, retry_after_s: float | None = None) -> None:
        """Take the outcome of a permitted call; `feed` None: it taught nothing."""
        if feed is Feed.NOBODY and permit.project is None:
            if not self._has_one_project:
                self._spread.served(project, self._clock.monotonic())
            self.gate.settle(permit, is_success=True)
            return
        is_upstreams = feed is Feed.UPSTREAM or (feed is Feed.PROJECT and self._is_general(project))
        self.gate.settle(permit, is_success=None if feed is None else not is_upstreams, retry_after_s=retry_after_s)
        self._settle_project(permit.project, project, feed, retry_after_s)

    def teach(self, project: ProjectName, feed: Feed, *, retry_after_s: float | None = None) -> None:
        """Take what a later stage found out about an answer that was settled as a good one."""
        if feed is Feed.UPSTREAM or (feed is Feed.PROJECT and self._is_general(project)):
            self.gate.blame(retry_after_s=retry_after_s)
        if feed is Feed.PROJECT and not self._has_one_project:
            self.projects.of(project).blame(retry_after_s=retry_after_s)

    def is_calm(self, permit: Permit) -> bool:
        """Tell whether a call was an ordinary one: no probe, and no breaker of its on the ramp."""
        if permit.is_probe or not self.gate.is_plain:
            return False
        return permit.project is None or not permit.project.is_probe

    def _is_general(self, project: ProjectName) -> bool:
        return self._has_one_project or self._spread.refused(project, self._clock.monotonic())

    def _settle_project(
        self, permit: Permit | None, project: ProjectName, feed: Feed | None, retry_after_s: float | None
    ) -> None:
        """The upstream's own failure says nothing about the project; so does a call that was cut short."""
        if permit is None:
            if feed is Feed.PROJECT and not self._has_one_project:
                self.projects.of(project).blame(retry_after_s=retry_after_s)
            return
        gate = self.projects.get(project)
        if gate is None:  # dropped to make room meanwhile
            return
        is_success = None if feed is None or feed is Feed.UPSTREAM else feed is Feed.NOBODY
        gate.settle(permit, is_success=is_success, retry_after_s=retry_after_s)
        if is_success:
            self.projects.tidy(project)
