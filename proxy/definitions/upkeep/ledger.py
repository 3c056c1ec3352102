"""The instance's record of accepted keys: taken from the workers, told to their siblings, and written a moment later.

Writing is delayed so that a burst of new keys costs one write, not one each. What a crash in that moment loses is asked
upstream again; a revocation among it is repeated by the worker's next re-validation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from proxy.clock import Clock
from proxy.definitions.acceptance import Acceptances, load_acceptances, renewals_of, store_acceptances
from proxy.definitions.document import Unreadable
from proxy.process.control.messages import Body, Done, KeyAccepted, KeyRevoked
from proxy.telemetry.logs import Logger

from .poller import Sleep

DELAY_S: Final = 1.0
RETRY_S: Final = 30.0


class Ledger:
    """One instance's records.

    Attributes:
        keep_s: A record that was not confirmed for so long is dropped.
    """

    def __init__(
        self, folder: Path, *, keep_s: float, tell_all: Callable[[Body], None], clock: Clock, log: Logger, sleep: Sleep
    ) -> None:
        self.keep_s = keep_s
        self._folder = folder
        self._records = Acceptances()
        self._tell_all = tell_all
        self._clock = clock
        self._log = log
        self._sleep = sleep
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Read what an earlier life wrote, and tell the workers; records that do not check are not believed."""
        found = await asyncio.to_thread(load_acceptances, self._folder)
        if isinstance(found, Unreadable):
            self._log.error("accepted_keys_unreadable", reason=found.reason)
            return
        for record in (*found, *renewals_of(found)):
            self._take(record)
        self._records.expire(before_wall=self._clock.wall() - self.keep_s)
        self.tell(self._tell_all)

    async def accepted(self, record: KeyAccepted) -> Done:
        """Take a record and pass it on to every worker; the one that sent it knows it already."""
        if self._take(record):
            self._changed.set()
            self._tell_all(record)
        return Done()

    async def revoked(self, record: KeyRevoked) -> Done:
        """Drop a record and have every worker drop it."""
        if self._take(record):
            self._changed.set()
        self._tell_all(record)
        return Done()

    def tell(self, note: Callable[[Body], object]) -> None:
        """Tell one worker all there is."""
        for record in (*renewals_of(self._records), *self._records):
            note(record)

    def __len__(self) -> int:
        return len(self._records)

    async def run(self) -> None:
        """Read once, write after changes until cancelled; then once more if there is something to write."""
        await self.load()
        try:
            while await self._changed.wait():
                await self._sleep(DELAY_S)
                is_written = await asyncio.to_thread(self._write, self._to_write())
                if not is_written:
                    self._changed.set()
                    await self._sleep(RETRY_S)
        finally:
            if self._changed.is_set():
                self._write(self._to_write())

    def _take(self, said: KeyAccepted | KeyRevoked) -> bool:
        return self._records.accept(said) if isinstance(said, KeyAccepted) else self._records.revoke(said)

    def _to_write(self) -> Acceptances:
        self._changed.clear()
        self._records.expire(before_wall=self._clock.wall() - self.keep_s)
        return Acceptances(self._records.kept)

    def _write(self, records: Acceptances) -> bool:
        """Write all records, about 250 bytes each; False when no disk takes them."""
        try:
            store_acceptances(self._folder, records)
        except OSError as error:
            self._log.warning("accepted_keys_not_written", reason=error.strerror)
            return False
        return True
