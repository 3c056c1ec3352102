"""The line behind its listeners, as the process sees it: start, accept, take new settings, drain."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from proxy.answer.judgement.judge import Judge
from proxy.answer.request import ProjectName
from proxy.clock import SystemClock
from proxy.config.settings import Settings
from proxy.definitions.acceptance import hmac_secret
from proxy.definitions.document import Unreadable
from proxy.definitions.snapshot import folder_of
from proxy.edge.definitions.records import Records
from proxy.edge.health import Health
from proxy.edge.server import EdgeServer
from proxy.lastgood.redis.made import redis_tier
from proxy.lastgood.tiers.record import Purge
from proxy.lastgood.trim import Trimming, allocator_trim
from proxy.process.switchboard.breakers import Breakers
from proxy.process.switchboard.obedience import Obedience
from proxy.telemetry import logs
from proxy.telemetry.access import Access
from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.collecting import Collecting
from proxy.telemetry.metrics.slate import Slate, private_slate
from proxy.telemetry.metrics.worker_rows import worker_rows
from proxy.telemetry.traces.post import SocketPost, socket_path
from proxy.worker import build

from .beyond import disk_tier
from .keyring import Keyring
from .reception import Reception


class Service:
    """One worker's service.

    Attributes:
        settings: What it runs under now.
        keyring: Keeps what is known of callers' keys together with the supervisor's and the disk's.
        obedience: What operators ordered, in force.
        disk: The last good answers on disk; None where none are kept.
        collecting: Brings what the line counts onto the slate; whoever runs it ends it.
        trimming: Gives back to the system what forgotten answers took; likewise.
    """

    def __init__(
        self, settings: Settings, descriptors: Sequence[int], *, runtime: str, log: Logger, slate: Slate | None = None
    ) -> None:
        self.settings = settings
        self._accepting: dict[int, asyncio.Server] = {}
        self._descriptors = descriptors
        self._settings = settings
        self._runtime = runtime
        self._log = log
        self._keeps_keys = _has_definitions(settings)
        clock = SystemClock()
        slate = slate or private_slate()
        post = SocketPost(socket_path(runtime))
        self.disk = disk_tier(settings, runtime=runtime, environ=os.environ, log=log)
        self._shared = redis_tier(settings.redis, environ=os.environ, clock=clock, rng=Random(), log=log)  # noqa: S311  jitter
        tiers = [tier for tier in (self.disk, self._shared) if tier is not None]
        secret = _secret(settings, runtime, log)
        self._line = build(settings, clock=clock, secret=secret, slate=slate, post=post, log=log, tiers=tiers)
        self.definitions = Reception(self._line.held, log=log)
        self.keyring = Keyring(self._line.keys.records, log=log)
        self._breakers = Breakers(lambda: self._line.origins)
        self.obedience = Obedience(self._line.switches, force=self._breakers.hold, clock=clock, log=log)
        self._edge = EdgeServer(self._line.app, limits=settings.limits, drain_s=settings.process.drain_s)
        self._line.watch.access = Access(ratio=settings.log.access_ratio, clock=clock, log=log)
        self.trimming = Trimming(self._line.memory.cache, trim=allocator_trim())
        self.collecting = Collecting(slate, worker_rows(self._line, self._edge), clock=clock, log=log)

    @property
    def health(self) -> Health:
        """What is said of this worker's health."""
        return self._line.health

    @property
    def accepting(self) -> tuple[int, ...]:
        """Indices of the listeners that it accepts from."""
        return tuple(sorted(self._accepting))

    @property
    def keys(self) -> Records:
        """Which callers' keys upstream accepted."""
        return self._line.keys.records

    @property
    def judge(self) -> Judge:
        """Which answers without errors are believable."""
        return self._line.judgement.judge

    async def start(self, own: int) -> None:
        """Answer on one's own listener, with the newest definitions on disk in force; ready from here on."""
        await self._edge.start([])
        await self._line.start()
        await self.obedience.recall(self._runtime)
        keeping = [name for name, project in self._settings.projects.items() if project.definitions is not None]
        folder = folder_of(self._settings.definitions, self._runtime)
        await self.definitions.recall(folder, keeping)
        if keeping:
            await self.keyring.recall(folder)
        await self.accept_from([own])
        self._line.health.is_ready = True

    async def accept_from(self, listeners: Iterable[int]) -> None:
        """Accept from exactly these listeners, one's own and those of siblings that are away; open connections stay."""
        wanted = set(listeners)
        for index in self._accepting.keys() - wanted:
            self._accepting.pop(index).close()
        for index in wanted - self._accepting.keys():
            self._accepting[index] = await self._edge.listen(_duplicate(self._descriptors[index]))

    async def reconfigure(self, settings: Settings) -> None:
        """Run under new settings; what is remembered stays."""
        await self._keep_keys(settings)
        self._line.reconfigure(settings)
        if self.disk is not None:
            self.disk.reconfigure(timeout_s=settings.store.read_timeout_s)
        self.obedience.hold()
        self._edge.limits = settings.limits
        self._edge.drain_s = settings.process.drain_s
        self.settings = settings
        logs.set_level(settings.log.level)
        if self._line.watch.access is not None:
            self._line.watch.access.ratio = settings.log.access_ratio

    async def _keep_keys(self, settings: Settings) -> None:
        """With the first project that has definitions, use the secret that outlives the process, and recall what it seals.

        Until then nobody's key was remembered, and there was no reason to keep a secret on disk.
        """
        if self._keeps_keys or not _has_definitions(settings):
            return
        self._keeps_keys = True
        secret = await asyncio.to_thread(_secret, settings, self._runtime, self._log)
        if secret is not None:
            self._line.keys.seal.change(secret)
            await self.keyring.recall(folder_of(settings.definitions, self._runtime))

    def revoke_hold(self, project: str) -> None:
        """Relay refusals of a project's keys from the next request on; a breaker that they opened would hide them."""
        self._line.judgement.revoke(ProjectName(project))
        self._breakers.afresh(project)

    async def purge(self, purge: Purge) -> int:
        """Forget what is meant, in memory and beyond; return how many answers memory forgot."""
        return await self._line.purge(purge)

    @property
    def owed(self) -> str:
        """Why a purge is not done yet where this worker sees to it; empty: all are."""
        return "" if self._shared is None else self._shared.owed

    def recent(self, project: str, limit: int) -> list[dict[str, Any]]:
        """Return what a project's callers asked lately; never to be logged or stored."""
        return self._line.recent(project, limit)

    def report(self) -> dict[str, Any]:
        """Return what `/status.json` shows of this worker."""
        return {
            "accepting": list(self.accepting),
            "connections": self._edge.connections,
            "refused": self._edge.refused,
            "switches": self._line.switches.report(),
            "breakers": self._breakers.report(),
            "memory": {"answers": len(self._line.memory.cache), "bytes": self._line.memory.cache.bytes},
            "tiers": self._line.tiers.report(),
            "definitions_endpoint": {"keys": len(self.keys), **self._line.keys.meter.report()},
        }

    def not_ready(self) -> None:
        """Tell load balancers to stop sending; everything is still answered."""
        self._line.health.is_ready = False

    async def stop(self) -> None:
        """Stop accepting, let requests in flight finish within the drain time, give everything back."""
        self.obedience.close()
        await self._edge.stop()
        await self.definitions.close()
        await self._line.close()


def _secret(settings: Settings, runtime: str, log: Logger) -> bytes | None:
    """Return the key under which callers' keys are remembered; None: a random one will do, or has to."""
    if not _has_definitions(settings):
        return None
    found = hmac_secret(settings.definitions, folder_of(settings.definitions, runtime), os.environ)
    if isinstance(found, Unreadable):
        log.warning("accepted_keys_end_with_the_process", reason=found.reason)
        return None
    return found


def _has_definitions(settings: Settings) -> bool:
    return any(project.definitions is not None for project in settings.projects.values())


def _duplicate(descriptor: int) -> socket.socket:
    """Return a socket of one's own on a family descriptor: closing it leaves the listener, and its queue, open."""
    return socket.socket(fileno=os.dup(descriptor))
