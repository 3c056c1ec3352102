"""The tiers beyond memory, as one: what memory lacks is recalled from them, what upstream says is offered to them.

Recalling puts an answer back into memory with the age it has: a wall clock that stepped never makes it younger, and one that
seems to come from the future is not used, because nobody knows how old it is. Offering costs a request the time to put a
reference into a box; sealing and writing happen behind, and what cannot keep up is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from proxy.answer.answer import Whole
from proxy.answer.request import FlagsRequest, Key, ProjectName
from proxy.clock import Clock
from proxy.config.settings import Policy
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept, Memory

from .outbox import Outbox, Waiting
from .person import meant_by
from .purged import Purged
from .record import Purge, Sealed
from .sealing import Opened
from .steady import SteadyWall
from .tier import Tier

FLUSH_S: Final = 0.2
"""How long answers wait for others to be written with."""
SLICE: Final = 8
"""So many answers are sealed in a row (about 0.2 ms) before requests have their turn, …"""
SLICE_BYTES: Final = 512 * 1024
"""… or so many bytes and the answer that went beyond them: 0.8 ms. A single answer of 4 MiB takes 8."""

Sleep = Callable[[float], Awaitable[None]]


class Tiers:
    """One worker's tiers. Without any it recalls nothing and takes nothing.

    Attributes:
        outbox: What waits to be sealed.
        recalled: Answers put back into memory.
        missed: Questions that no tier knew.
        unauthentic: Values that did not check: damaged, foreign, or under another secret.
        undated: Values from the future.
        forgotten: Values from before a purge of theirs, which their tier had yet to hear of.
    """

    def __init__(
        self,
        memory: Memory,
        tiers: Sequence[Tier] = (),
        *,
        clock: Clock,
        rewrite_s: float = 60.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.recalled = 0
        self.missed = 0
        self.unauthentic = 0
        self.undated = 0
        self.forgotten = 0
        self.outbox = Outbox(rewrite_s=rewrite_s)
        self._memory = memory
        self._tiers = tuple(tiers)
        self._near = tuple(tier for tier in tiers if tier.is_near)
        self._clock = clock
        self._wall = SteadyWall(clock)
        self._sleep = sleep
        self._purges = 0
        self._purged = Purged()
        self._waits = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looking: set[asyncio.Task[Entry[Kept] | None]] = set()
        if self._tiers:
            memory.behind = self.offer

    @property
    def has_any(self) -> bool:
        """There is somewhere to recall from."""
        return bool(self._tiers)

    async def recall(self, request: FlagsRequest) -> Entry[Kept] | None:
        """Return the newest usable answer of all tiers, put into memory; None when there is none.

        Each tier is bounded by its own timeout; a caller with less patience cancels.
        """
        return await self._recall(request, self._tiers)

    async def _recall(self, request: FlagsRequest, tiers: Sequence[Tier]) -> Entry[Kept] | None:
        key, purges = request.key, self._purges
        if key is None or not tiers:
            return None
        found = await self._newest(tiers, key, request.project)
        if found is None or purges != self._purges:  # forgotten while it was looked for
            self.missed += 1
            return None
        if self._purged.means(key, request.project, stored_at=found.stored_at):
            self.forgotten += 1
            return None
        age_s = self._wall() - found.stored_at
        if age_s < 0:
            self.undated += 1
            return None
        self.recalled += 1
        return self._memory.recall(key, found.whole, project=request.project, policy=request.policy, age_s=age_s)

    def beside(self, request: FlagsRequest) -> asyncio.Task[Entry[Kept] | None] | None:
        """Begin to recall what memory lacks from what is near, while something else happens; None when there is nothing to."""
        if not self._near or request.key is None or self._memory.get(request.key) is not None:
            return None
        task = asyncio.get_running_loop().create_task(self._recall(request, self._near))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
        return task

    def offer(self, key: Key, whole: Whole, *, project: ProjectName, policy: Policy) -> None:
        """Have an answer that is worth remembering, given by upstream this instant, written behind."""
        if not self._tiers:
            return
        now = self._wall()
        self.outbox.put(key, Waiting(whole, project, now, now + policy.usable_s))
        self._waits.set()

    async def purge(self, purge: Purge, projects: Sequence[str]) -> None:
        """Forget what is meant in every tier and on the way there; `projects`: where to look for a person of any project."""
        self._purges += 1
        self._purged.add(purge, at=self._wall())
        self.outbox.purge(meant_by(purge))
        await asyncio.gather(*(tier.purge(tier.seals.purge(purge, projects)) for tier in self._tiers))

    async def flush(self) -> None:
        """Seal everything that waits and hand it to the tiers."""
        while self.outbox:
            for tier, records in zip(self._tiers, self._seal_some(), strict=True):
                tier.offer(records)
            await asyncio.sleep(0)

    def report(self) -> dict[str, Any]:
        """Return what is shown of them."""
        return {
            "recalled": self.recalled,
            "missed": self.missed,
            "unauthentic": self.unauthentic,
            "undated": self.undated,
            "forgotten": self.forgotten,
            "waiting_bytes": self.outbox.bytes,
            "dropped": self.outbox.dropped,
            "unchanged": self.outbox.unchanged,
            **{tier.name: tier.report() for tier in self._tiers},
        }

    async def start(self) -> None:
        """Begin writing behind."""
        if self._tiers and self._task is None:
            for tier in self._tiers:
                await tier.start()
            self._task = asyncio.create_task(self._run(), name="tiers")

    async def close(self) -> None:
        """Write what waits, as far as it goes within a second a tier, and give everything back."""
        for looking in self._looking:
            looking.cancel()
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None
        await self.flush()
        await asyncio.gather(*(tier.close() for tier in self._tiers))

    async def _run(self) -> None:
        while await self._waits.wait():
            await self._sleep(FLUSH_S)
            self._waits.clear()
            await self.flush()

    def _seal_some(self) -> list[list[Sealed]]:
        """Return a few records for each tier, in its own seals."""
        sealed: list[list[Sealed]] = [[] for _ in self._tiers]
        sealed_bytes = 0
        while len(sealed[0]) < SLICE and sealed_bytes < SLICE_BYTES and (taken := self.outbox.take()) is not None:
            key, waiting = taken
            sealed_bytes += len(waiting.whole.body)
            for tier, records in zip(self._tiers, sealed, strict=True):
                times = {"stored_at": waiting.stored_at, "expires_at": waiting.expires_at}
                records.append(tier.seals.seal(key, waiting.whole, project=waiting.project, **times))
        return sealed

    async def _newest(self, tiers: Sequence[Tier], key: Key, project: ProjectName) -> Opened | None:
        if len(tiers) == 1:
            return await self._look(tiers[0], key, project)
        found = await asyncio.gather(*(self._look(tier, key, project) for tier in tiers))
        return max((each for each in found if each is not None), key=lambda each: each.stored_at, default=None)

    async def _look(self, tier: Tier, key: Key, project: ProjectName) -> Opened | None:
        """Return what one tier has, sealed under the present secret or the previous."""
        for place in tier.seals.places(key):
            value = await tier.get(place)
            if value is not None:
                opened = tier.seals.open(place, value, project=project)
                if opened is not None:
                    return opened
                self.unauthentic += 1
        return None
