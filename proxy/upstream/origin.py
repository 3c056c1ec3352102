"""One upstream as the line sees it: the breakers' leave, a place in the bulkhead, the exchange, and what was learnt from it.

    breakers.admit ─► bulkhead (or its queue, then leave again) ─► exchange ─► meaning ─► breakers.settle ─► (one retry)

Refused at once, and told why, when a breaker is open or there is no place. While upstream is too slow for everybody, who has
no other source may use the slow lane. A retry is made once, inside the budget and the same deadline. `relay` asks nobody's
leave: it is what an operator gets who switched the line off.
"""

from __future__ import annotations

from random import Random
from typing import Final

import msgspec

from proxy.answer.answer import Failure, Whole
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading, read_answer
from proxy.answer.switches import NORMAL, Mode
from proxy.clock import Clock
from proxy.config.settings import Breaker, Upstream

from .admission import Bulkhead, Lane
from .admission.bulkhead import share
from .breaker import Gate, Guard, Permit
from .exchange import Transport
from .outcomes import Feed, Meaning, failure, meaning, proper
from .pace import Pace
from .retries import RetryBudget, died_in_the_pool, is_worth_another
from .unpack import unpacked

_POST: Final = "POST"


class Tried(msgspec.Struct, frozen=True):
    """How asking upstream went.

    Attributes:
        whole: Upstream's answer; None when there was none, or none that may be handed on.
        failure: Why another source should answer instead; None when `whole` is good.
        reading: The parsed 200 of an evaluation; None for everything else.
        feed: Whose breaker the outcome was held against.
    """

    whole: Whole | None
    failure: Failure | None = None
    reading: Reading | None = None
    feed: Feed = Feed.NOBODY


class OriginSettings(msgspec.Struct, frozen=True):
    """What an origin is made from: while these stay the same, so do its breakers' memories across a reload.

    `has_one_project`: an upstream with one project takes that project's 429 as its own failure (there is nobody else to ask).
    """

    upstream: Upstream
    breaker: Breaker
    has_one_project: bool


class Origin:
    """One upstream, guarded.

    Attributes:
        relayed: Requests sent on without asking anybody's leave.
    """

    def __init__(self, settings: OriginSettings, *, transport: Transport, clock: Clock, rng: Random) -> None:
        upstream = settings.upstream
        own = upstream.connections if settings.has_one_project else share(upstream.connections, upstream.project_ratio)
        self.settings = settings
        self.transport = transport
        self.guard = Guard(settings.breaker, has_one_project=settings.has_one_project, clock=clock, rng=rng)
        self.bulkhead = Bulkhead(places=upstream.connections, project_places=own, queue=upstream.queue)
        self.lane = Lane(places=upstream.slow_lane)
        self.budget = RetryBudget()
        self.pace = Pace()
        self.relayed = 0
        self._clock = clock

    @property
    def gate(self) -> Gate:
        """The upstream's own breaker."""
        return self.guard.gate

    def project_gate(self, project: ProjectName) -> Gate:
        """Return a project's breaker, made if it has none."""
        return self.guard.projects.of(project)

    def p95_s(self) -> float:
        """Return how long all but a twentieth of recent good exchanges took, in seconds; a guess before there were enough."""
        return self.pace.p95_s

    async def ask(
        self, request: FlagsRequest, *, mode: Mode = NORMAL, has_other_source: bool = True, lane: bool = False
    ) -> Tried:
        """Ask upstream, if it may be asked; never raises for trouble of the upstream's.

        Args:
            request: Sent as it is.
            mode: The switches in force: `retry` off sends nothing twice.
            has_other_source: Without one a request goes first on the ramp, and may use the slow lane.
            lane: Use the slow lane if need be: no other source turned out to have an answer.
        """
        permit = self.guard.admit(request.project, has_other_source=has_other_source)
        if isinstance(permit, Failure):
            return await self._refused(request, permit, may_use_lane=lane or not has_other_source)
        if permit.is_probe:  # there is one at a time, and it must not wait behind those it is to save
            return await self._ask(request, permit, mode)
        if not self.bulkhead.enter(request.project):
            self.guard.settle(permit, request.project, feed=None)
            return await self._queue(request, mode=mode, has_other_source=has_other_source, lane=lane)
        try:
            return await self._ask(request, permit, mode)
        finally:
            self.bulkhead.leave(request.project)

    async def relay(self, request: FlagsRequest) -> Whole | Failure:
        """Send the request and return what comes back, whatever the breakers say; it teaches them nothing."""
        self.relayed += 1
        return proper(await self.transport.exchange(request))

    async def observe(self, request: FlagsRequest) -> tuple[Whole | Failure, Tried]:
        """Send the request whatever the breakers say; return what came back, and what asking would have brought.

        The breakers learn as ever, and nothing is sent twice.
        """
        permit = self.guard.admit(request.project)
        if isinstance(permit, Failure):
            return await self.relay(request), Tried(None, permit)
        if not self.bulkhead.enter(request.project):
            self.guard.settle(permit, request.project, feed=None)
            return await self.relay(request), Tried(None, self.bulkhead.refusal())
        tried = None
        try:
            said = proper(await self.transport.exchange(request))
            tried = self._weigh(request, said)
            return said, tried
        finally:
            self._settle(request, permit, tried)
            self.bulkhead.leave(request.project)

    def teach(self, request: FlagsRequest, feed: Feed, *, retry_after_s: float | None = None) -> None:
        """Hold an answer that passed for a good one against somebody after all (a held 401: `Feed.PROJECT`)."""
        self.guard.teach(request.project, feed, retry_after_s=retry_after_s)

    async def _queue(self, request: FlagsRequest, *, mode: Mode, has_other_source: bool, lane: bool) -> Tried:
        wait_s = min(self.settings.upstream.queue_wait_s, request.deadline - self._clock.monotonic())
        refusal = await self.bulkhead.wait(request.project, wait_s=wait_s)
        if refusal is not None:
            return Tried(None, refusal)
        try:  # the breaker may have tripped meanwhile
            permit = self.guard.admit(request.project, has_other_source=has_other_source)
            if isinstance(permit, Permit):
                return await self._ask(request, permit, mode)
        finally:
            self.bulkhead.leave(request.project)
        return await self._refused(request, permit, may_use_lane=lane or not has_other_source)

    async def _refused(self, request: FlagsRequest, refusal: Failure, *, may_use_lane: bool) -> Tried:
        if not (refusal.is_slowness and may_use_lane and self.lane.enter()):
            return Tried(None, refusal)
        try:
            return self._weigh(request, await self.transport.exchange(request))
        finally:
            self.lane.leave()

    async def _ask(self, request: FlagsRequest, permit: Permit, mode: Mode) -> Tried:
        self.budget.deposit()
        news: Tried | None = None
        try:
            tried = news = await self._exchange(request)
            will_retry = self._may_retry(request, tried, permit, mode)
            if will_retry and died_in_the_pool(tried.failure):
                news = None
        finally:
            self._settle(request, permit, news)
        return await self._again(request, tried) if will_retry else tried

    async def _again(self, request: FlagsRequest, first: Tried) -> Tried:
        permit = self.guard.admit(request.project)
        if isinstance(permit, Failure):  # the first try was one failure too many
            return first
        second = None
        try:
            second = await self._exchange(request)
            return second
        finally:
            self._settle(request, permit, second)

    async def _exchange(self, request: FlagsRequest) -> Tried:
        started = self._clock.monotonic()
        tried = self._weigh(request, await self.transport.exchange(request))
        if tried.failure is None:
            self.pace.note(self._clock.monotonic() - started)
        return tried

    def _settle(self, request: FlagsRequest, permit: Permit, tried: Tried | None) -> None:
        if tried is None:  # a cancelled exchange gives its permit back and teaches nothing
            self.guard.settle(permit, request.project, feed=None)
            return
        retry_after_s = None if tried.failure is None else tried.failure.retry_after_s
        self.guard.settle(permit, request.project, feed=tried.feed, retry_after_s=retry_after_s)

    def _may_retry(self, request: FlagsRequest, tried: Tried, permit: Permit, mode: Mode) -> bool:
        if tried.failure is None or not is_worth_another(tried.failure) or not mode.retry:
            return False
        if not self.guard.is_calm(permit):
            return False
        return request.deadline - self._clock.monotonic() > self.pace.p95_s and self.budget.withdraw()

    def _weigh(self, request: FlagsRequest, said: Whole | Failure) -> Tried:
        answer = said if isinstance(said, Failure) else unpacked(said, limit=self.settings.upstream.response_bytes)
        if isinstance(answer, Failure):
            return Tried(None, answer, feed=Feed.UPSTREAM)
        is_evaluation = request.method == _POST
        reading = read_answer(answer) if is_evaluation else None
        row = meaning(answer, is_evaluation=is_evaluation, is_flags_body=reading is not None)
        return _tried(answer, row, reading)


def _tried(answer: Whole, row: Meaning, reading: Reading | None) -> Tried:
    if row.trouble is None:
        return Tried(answer, None, reading, row.feed)
    return Tried(answer if row.is_relayable else None, failure(answer, row.trouble), reading, row.feed)
