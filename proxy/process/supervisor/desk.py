"""What an operator can ask of an instance, whatever the face (HTTP now): status, a reload, and decisions about definitions."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Settings
from proxy.definitions.upkeep.duty import Upkeep
from proxy.lastgood.tiers.record import Purge
from proxy.process.control.messages import HoldRevoked, KeyRevoked, Report
from proxy.process.switchboard.board import Board, Spread
from proxy.telemetry.instance import Instance
from proxy.telemetry.logs import Logger
from proxy.version import VERSION

from .care import LauncherCare
from .duties import Kept
from .hub import Hub, report_of
from .reload import Outcome, Reloader
from .remembering import Purged, Remembering

_REPORT_S = 2.0


class Desk:
    """The operations, and the key to them.

    Attributes:
        duties: What runs beside the workers.
        board: What operators ordered at run time.
        figures: What all processes measured; None: nothing is shared.
        token: The operators' bearer token; None where the listener is on loopback and none is configured.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        reloader: Reloader,
        care: LauncherCare,
        upkeep: Upkeep,
        board: Board,
        remembering: Remembering,
        log: Logger,
    ) -> None:
        self.duties: list[Kept] = []
        self.token: Secret | None = None
        self.figures: Instance | None = None
        self.board = board
        self._hub = hub
        self._reloader = reloader
        self._care = care
        self._upkeep = upkeep
        self._remembering = remembering
        self._log = log
        self._started = time.time()
        self._take_token(reloader.current.settings)
        reloader.on_accepted.append(self._take_token)

    @property
    def settings(self) -> Settings:
        """What runs now."""
        return self._reloader.current.settings

    async def reload(self) -> Outcome:
        """Read the configuration again; all or nothing."""
        return await self._reloader.reload()

    def definitions(self) -> Mapping[str, Any]:
        """Return how every project's definitions stand."""
        return self._upkeep.report()

    async def accept_definitions(self, project: str, digest: str) -> str | None:
        """Use a set that waits or was refused; return why not, or nothing. None: no such project."""
        return await self._upkeep.accept(project, digest)

    async def roll_back_definitions(self, project: str, generation: int | None) -> str | None:
        """Use an earlier set again; return why not, or nothing. None: no such project."""
        return await self._upkeep.rollback(project, generation)

    async def forget_keys(self, project: str) -> str | None:
        """Have every caller of a project asked about upstream again, at once; return nothing. None: no such project."""
        if project not in self._upkeep.report():
            return None
        await self._upkeep.ledger.revoked(KeyRevoked("", project, "", ""))
        return ""

    async def purge(self, purge: Purge) -> Purged:
        """Forget remembered answers, everywhere: all, a project's, or a person's. Never log what is meant."""
        return await self._remembering.purge(purge)

    async def revoke_hold(self, project: str) -> Spread:
        """Have every worker relay refusals of a project's keys from its next request on. A worker that starts holds none."""
        return await self.board.tell(HoldRevoked(project))

    def store(self) -> Mapping[str, Any] | None:
        """Return how the store on disk fares; None where nothing is kept there."""
        return self._remembering.report()

    async def status(self) -> Mapping[str, Any]:
        """Return the state of the instance; a worker that does not answer within 2 s is shown as unresponsive."""
        replies = await self._hub.tell(list(self._hub.workers.values()), Report(), timeout_s=_REPORT_S)
        current = self._reloader.current
        return {
            "version": VERSION,
            "python": platform.python_version(),
            "config": {"version": str(current.version), "accepted_at": current.accepted_at, "source": current.source},
            "launcher": {"pid": self._care.pid},
            "supervisor": {"pid": os.getpid(), "age_s": round(time.time() - self._started, 3)},
            "mode": None if self.figures is None else self.figures.standing.mode.report(),
            "duties": [duty.report() for duty in self.duties],
            "orders": self.board.report(),
            "definitions": self.definitions(),
            "store": self.store(),
            "accepted_keys": len(self._upkeep.ledger),
            "workers": sorted((report_of(*each) for each in replies), key=itemgetter("index")),
            "workers_wanted": current.settings.process.workers,
        }

    def _take_token(self, settings: Settings) -> None:
        if settings.admin.token is None:
            self.token = None
            return
        found = read_secret(settings.admin.token, os.environ)
        if isinstance(found, Secret):
            self.token = found
        else:
            self._log.error("admin_token_unreadable", reason=found)
