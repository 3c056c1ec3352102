"""Composition root of one worker: from settings to a running line, top to bottom, with one clean-up stack.

Whatever a test replaces is a keyword of `build`; nothing is created at import. Under new settings the line is put together
again from the same memory and flights, and from every upstream whose own settings did not change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, Final

from aiohttp import web

from proxy.answer.at_hand.sample import Sample
from proxy.answer.flights.asking import Lasting
from proxy.answer.flights.flight import Flight
from proxy.answer.flights.pure import Observed
from proxy.answer.flights.trip import Flown
from proxy.answer.judgement.judgement import Judgement
from proxy.answer.request import ProjectName, UpstreamName
from proxy.answer.switches import Switches
from proxy.assembly import Parts, TransportFactory, flags, lasting, local_rung, new_origin
from proxy.clock import Clock, SystemClock
from proxy.config.settings import Settings
from proxy.config.settings.policy import LONGEST_EXCHANGE_S
from proxy.definitions.held import Held
from proxy.edge.definitions.keys import Keys
from proxy.edge.flags.tenants import Tenants
from proxy.edge.handlers import Handler
from proxy.edge.health import Health
from proxy.edge.through.assembly import Through
from proxy.lastgood.memory import Memory
from proxy.lastgood.tiers.person import meant_by
from proxy.lastgood.tiers.record import Purge
from proxy.lastgood.tiers.tier import Tier
from proxy.lastgood.tiers.tiers import Tiers
from proxy.pauses import in_slices
from proxy.telemetry.assembly import watch_of
from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.slate import Slate
from proxy.telemetry.traces.post import Post
from proxy.telemetry.watch import Watch
from proxy.upstream.exchange import HttpTransport, Transport
from proxy.upstream.origin import Origin, OriginSettings
from proxy.uuids import uuids

RETIRE_S: Final = LONGEST_EXCHANGE_S + 1.0
"""An upstream that settings no longer name keeps its connections this long: longer than any exchange may take."""


class Line:
    """One worker's line. `app` is what a server serves; `close` gives everything back."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self.health = Health()
        self.app = web.Server(self._handle, access_log=None, auto_decompress=False)
        self.origins: dict[UpstreamName, Origin] = {}
        self._through = Through(
            settings,
            health=self.health,
            keys=parts.keys,
            sets=parts.held.document,
            is_pure=parts.switches.is_pure,
            handing=parts.watch.handing,
        )
        self._parts = parts
        self._retiring: set[asyncio.Task[None]] = set()
        self.reconfigure(settings)

    @property
    def memory(self) -> Memory:
        """What is remembered."""
        return self._parts.memory

    @property
    def tiers(self) -> Tiers:
        """What is remembered beyond this process."""
        return self._parts.tiers

    @property
    def held(self) -> Held:
        """The definitions in force."""
        return self._parts.held

    def recent(self, project: str, limit: int) -> list[dict[str, Any]]:
        """Return what a project's callers asked lately, in the form of `canary.Asked`: never to be logged or stored."""
        requests = self._parts.sample.of(ProjectName(project))[-limit:]
        questions = [question for request in requests if (question := self._local.question(request)) is not None]
        return [question.asked() for question in questions]

    @property
    def watch(self) -> Watch:
        """What counts and traces."""
        return self._parts.watch

    @property
    def keys(self) -> Keys:
        """Which callers' keys upstream accepted for definitions, and what that saved."""
        return self._parts.keys

    @property
    def switches(self) -> Switches:
        """What an operator turned; `Switches.of` says how a project's requests are treated."""
        return self._parts.switches

    @property
    def flight(self) -> Flight[Flown]:
        """What is in the air."""
        return self._parts.lasting.flight

    @property
    def asked(self) -> Lasting:
        """What asking upstream counts: races, renewals, what an outage skipped."""
        return self._parts.lasting

    @property
    def judgement(self) -> Judgement:
        """What is believed of what upstream says."""
        return self._parts.lasting.trip.judgement

    @property
    def observed(self) -> Observed:
        """What the line would have done for projects where it only watches."""
        return self._parts.observed

    def reconfigure(self, settings: Settings) -> None:
        """Run under new settings from the next request on. Memory stays, and so does every upstream that did not change."""
        tenants = Tenants(settings)
        before, origins = self.origins, {}
        for name, upstream in settings.upstreams.items():
            held = before.get(UpstreamName(name))
            wanted = OriginSettings(upstream, settings.breaker, has_one_project=tenants.sharing(name) <= 1)
            is_kept = held is not None and held.settings == wanted
            origins[UpstreamName(name)] = held if is_kept and held is not None else new_origin(name, wanted, self._parts)
        self._through.reconfigure(settings)
        self.watch.reconfigure(settings.telemetry)
        self.origins, self._settings = origins, settings
        self._put_together(tenants)
        self._retire(origin for origin in before.values() if origin not in origins.values())
        self.memory.resize(_for_answers(settings.memory.max_bytes, has_tiers=self.tiers.has_any))
        self.tiers.outbox.rewrite_s = settings.store.rewrite_s

    async def start(self) -> None:
        """Begin what runs behind."""
        await self.tiers.start()

    async def purge(self, purge: Purge) -> int:
        """Forget what is meant, in memory and beyond, and every body lately seen; return how many answers memory forgot."""
        self.asked.trip.purged()
        self.judgement.hysteresis.forget_questions()
        if purge.distinct_id is None:
            self.judgement.forget(None if purge.project is None else ProjectName(purge.project))
        self._parts.sample.forget(None if purge.project is None else ProjectName(purge.project))
        self._put_together(Tenants(self._settings))  # what it understood of bodies goes with it
        beyond = self.tiers.purge(purge, self._settings.project_names)
        forgotten, _ = await asyncio.gather(in_slices(self.memory.purging(meant_by(purge))), beyond)
        return forgotten

    async def close(self) -> None:
        """Give everything back: flights first, pools last."""
        await self._parts.lasting.flight.close()
        await self.tiers.close()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        for origin in self.origins.values():
            await origin.transport.close()
        await self._through.close()

    def _handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        return self._flags(request)

    def _put_together(self, tenants: Tenants) -> None:
        settings, parts = self._settings, self._parts
        elsewhere = parts.elsewhere or self._through.handle
        self._local = local_rung(settings, parts)
        self._flags = flags(settings, parts, tenants=tenants, origins=self.origins, local=self._local, elsewhere=elsewhere)

    def _retire(self, origins: Iterable[Origin]) -> None:
        for origin in origins:
            task = asyncio.get_running_loop().create_task(_close_later(origin.transport))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


def build(  # noqa: PLR0913 - whatever a test replaces is a keyword
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: TransportFactory | None = None,
    rng: Random | None = None,
    new_id: Callable[[], str] | None = None,
    elsewhere: Handler | None = None,
    secret: bytes | None = None,
    slate: Slate | None = None,
    post: Post | None = None,
    log: Logger | None = None,
    tiers: Sequence[Tier] = (),
) -> Line:
    """Put one worker's line together, inside the running loop.

    Args:
        settings: The effective configuration.
        clock: Time, for deadlines, ages and windows.
        transport: Makes what talks to an upstream.
        rng: Jitter.
        new_id: Names answers that we assemble; None: random UUIDs.
        elsewhere: Answers every path but the flag endpoints, instead of relay, passthrough and health.
        secret: Key under which callers' keys are remembered; None: a random one.
        slate: Where answers are counted; None: on one that nobody reads.
        post: Where spans go; None: nothing is traced.
        log: Where judgement says what it holds back; None: nowhere.
        tiers: Where answers are remembered beyond this process.
    """
    clock = clock or SystemClock()
    memory, held = Memory(max_bytes=settings.memory.max_bytes, clock=clock), Held(clock=clock)
    beyond = Tiers(memory, tiers, clock=clock, rewrite_s=settings.store.rewrite_s)
    parts = Parts(
        clock=clock,
        transport=transport or (lambda upstream: HttpTransport(upstream, clock=clock)),
        rng=rng or Random(),  # noqa: S311 - jitter is no secret
        new_id=new_id or uuids().__next__,
        elsewhere=elsewhere,
        memory=memory,
        held=held,
        keys=Keys(clock=clock, secret=secret),
        sample=Sample(),
        lasting=lasting(memory, beyond, held, clock=clock, log=log),
        switches=Switches(clock=clock),
        observed=Observed(),
        watch=watch_of(settings.telemetry, clock=clock, slate=slate, post=post, generation=_generations(held)),
        tiers=beyond,
    )
    return Line(settings, parts)


def _generations(held: Held) -> Callable[[str], int | None]:
    return lambda project: None if (kept := held.document(project)) is None else kept.generation


def _for_answers(max_bytes: int, *, has_tiers: bool) -> int:
    """Return what of the memory's budget is for the answers; an eighth is for those on their way to disk or Redis."""
    return max_bytes - max_bytes // 8 if has_tiers else max_bytes


async def _close_later(transport: Transport) -> None:
    try:
        await asyncio.sleep(RETIRE_S)
    finally:
        await transport.close()
