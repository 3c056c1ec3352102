"""The worker's end of accepted keys: recalled from the disk when it starts, told to the supervisor as they are learnt.

The disk is read before the first caller is answered: they queue on the listeners, and the supervisor, who would say the same,
may come later than they do. What is learnt while the supervisor is away is owed to it and told when it is back; otherwise a
restart in an outage would lock those callers out, or let a revoked key in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from proxy.definitions.acceptance import load_acceptances, renewals_of
from proxy.definitions.document import Unreadable
from proxy.edge.definitions.records import MOST, News, Records
from proxy.telemetry.logs import Logger


class Keyring:
    """One worker's.

    Attributes:
        say: Notes something to the supervisor; False while it is away.
    """

    def __init__(self, records: Records, *, log: Logger) -> None:
        self.say: Callable[[News], bool] = lambda _: False
        self._records = records
        self._log = log
        self._owed: deque[News] = deque(maxlen=MOST)
        records.tell = self._tell

    async def recall(self, folder: Path) -> None:
        """Take what an earlier life wrote; a file that does not check is not believed in any part."""
        found = await asyncio.to_thread(load_acceptances, folder)
        if isinstance(found, Unreadable):
            self._log.error("accepted_keys_unreadable", reason=found.reason)
            return
        for news in (*renewals_of(found), *found):
            self._records.learn(news)

    def owed(self) -> list[News]:
        """Return what the supervisor was not told, oldest first; each thing once."""
        owed = list(self._owed)
        self._owed.clear()
        return owed

    def _tell(self, news: News) -> None:
        if not self.say(news):
            self._owed.append(news)
