"""What a worker does when the supervisor speaks: one handler a message. A later duty (switches, purges) adds a line."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any

from proxy.answer.request import ProjectName
from proxy.config.load import accept
from proxy.config.problem import Problems
from proxy.config.settings import Settings
from proxy.lastgood.tiers.record import Purge
from proxy.process.control.channel import Handler
from proxy.process.control.messages import (
    Abort,
    Accept,
    Commit,
    DefinitionsChanged,
    Done,
    Drain,
    FlagsGone,
    Hello,
    HoldRevoked,
    KeyAccepted,
    KeyRevoked,
    Orders,
    Ping,
    Prepare,
    Report,
    Sample,
    Version,
)
from proxy.telemetry.logs import Logger

from .service import Service


class Commands:
    """The worker's side of the vocabulary, over its one service.

    Attributes:
        leaving: Set when the worker is to finish what is in flight and exit.
    """

    def __init__(self, service: Service, *, me: Hello, log: Logger) -> None:
        self.leaving = asyncio.Event()
        self._service = service
        self._me = me
        self._log = log
        self._started = time.monotonic()
        self._prepared: tuple[Version, Settings] | None = None
        self._version = me.version

    def hello(self) -> Hello:
        """Say who this is, with what it runs and accepts from now."""
        return Hello(self._me.pid, self._me.index, self._version, self._service.accepting, self._me.born)

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return the table."""
        return {
            Ping: self._ping,
            Report: self._report,
            Prepare: self._prepare,
            Commit: self._commit,
            Abort: self._abort,
            Accept: self._accept,
            Drain: self._drain,
            DefinitionsChanged: self._definitions_changed,
            KeyAccepted: self._key_news,
            KeyRevoked: self._key_news,
            FlagsGone: self._flags_gone,
            Sample: self._sample,
            Orders: self._orders,
            HoldRevoked: self._hold_revoked,
            Purge: self._purge,
        }

    async def _ping(self, _: Ping) -> Done:
        return Done()

    async def _report(self, _: Report) -> Done:
        uptime = round(time.monotonic() - self._started, 3)
        state = "draining" if self.leaving.is_set() else "serving"
        detail = {"state": state, "uptime_s": uptime, "config": str(self._version), **self._service.report()}
        return Done(detail=detail)

    async def _prepare(self, prepare: Prepare) -> Done:
        settings = accept(prepare.document, os.environ)
        if isinstance(settings, Problems):
            return Done(refusal=str(settings))
        self._prepared = (prepare.version, settings)
        return Done()

    async def _commit(self, commit: Commit) -> Done:
        if self._prepared is None or self._prepared[0] != commit.version:
            return Done(refusal="not prepared")
        (version, settings), self._prepared = self._prepared, None
        await self._service.reconfigure(settings)
        self._version = version
        self._log.info("reconfigured", config=str(version))
        return Done()

    async def _abort(self, _: Abort) -> Done:
        self._prepared = None
        return Done()

    async def _accept(self, accept: Accept) -> Done:
        if self.leaving.is_set():
            return Done(refusal="draining")  # its sockets are closed, or about to be
        await self._service.accept_from(accept.listeners)
        self._log.info("accepting", listeners=list(accept.listeners))
        return Done()

    async def _definitions_changed(self, changed: DefinitionsChanged) -> Done:
        self._service.definitions.receive(changed)
        return Done()

    async def _key_news(self, news: KeyAccepted | KeyRevoked) -> Done:
        self._service.keys.learn(news)
        return Done()

    async def _flags_gone(self, gone: FlagsGone) -> Done:
        self._service.judge.learn(ProjectName(gone.project), gone.flags, is_plain=gone.is_plain)
        return Done()

    async def _sample(self, sample: Sample) -> Done:
        return Done(detail={"requests": self._service.recent(sample.project, sample.limit)})

    async def _orders(self, orders: Orders) -> Done:
        self._service.obedience.take(orders)
        return Done()

    async def _hold_revoked(self, revoked: HoldRevoked) -> Done:
        self._service.revoke_hold(revoked.project)
        return Done()

    async def _purge(self, purge: Purge) -> Done:
        return Done(detail={"forgotten": await self._service.purge(purge), "owed": self._service.owed})

    async def _drain(self, _: Drain) -> Done:
        self.leaving.set()
        return Done()
