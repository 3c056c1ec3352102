"""The stale rung: the last good answer to the same question, while the policy still allows it.

The key is the whole question, so what is remembered answers the whole request; it is given marked or, where the policy says so,
as the upstream's own bytes. Where the definitions held have something newer to say, only what still counts of it is given.
"""

from __future__ import annotations

from msgspec.structs import replace

from proxy.answer.answer import Assembled, Source, Whole
from proxy.answer.at_hand.counting import Counting
from proxy.answer.request import FlagsRequest, Key
from proxy.answer.shape import mark
from proxy.clock import Clock
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept, Memory
from proxy.lastgood.tiers.tiers import Tiers

from .rung import Filled


class StaleRung:
    """Answers from memory, and from the tiers beyond it what memory lacks."""

    def __init__(self, memory: Memory, tiers: Tiers, counting: Counting, *, clock: Clock) -> None:
        self._memory = memory
        self._tiers = tiers
        self._counting = counting
        self._clock = clock

    async def fill(self, request: FlagsRequest, missing: frozenset[str] | None) -> Filled | None:  # noqa: ARG002 - it has all or nothing
        entry = self._memory.get(request.key) or await self._tiers.recall(request)
        if entry is None or request.key is None:
            return None
        age_s = self._clock.monotonic() - entry.stored_at
        if age_s >= request.policy.stale_s:
            return None
        told = Filled(source=Source.STALE, age_s=age_s, fresh_for_s=request.policy.fresh_s - age_s)
        remains = await self._counting.remains(request, entry)
        if remains is not None:
            return replace(told, records=remains.records, envelope=remains.envelope)
        return replace(told, content=self._marked(request.key, entry) if request.policy.mark_stale else entry.value.whole)

    def _marked(self, key: Key, entry: Entry[Kept]) -> Whole | Assembled:
        whole = entry.value.whole
        twin = self._memory.twin(key, entry, mark)
        return whole if twin is whole.body else Assembled(twin, content_type=whole.content_type)
