"""What answers without asking upstream: the definitions, where the project wants that, else a copy of the last answer.

A copy answers while it is fresh, and for `stale_while_revalidate_s` after that, when upstream is asked in the background: it is
then `STALE` without a failure. A request on which the service may write is always asked upstream. A copy in which the
definitions held find something outdated is not given.
"""

from __future__ import annotations

from proxy.answer.answer import Answer, Source
from proxy.answer.request import FlagsRequest
from proxy.clock import Clock
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept

from .counting import Counting
from .local_first import LocalFirst


class AtHand:
    """Finds such an answer. `local_first` None: no project wants that."""

    def __init__(self, counting: Counting, local_first: LocalFirst | None, *, clock: Clock) -> None:
        self._counting = counting
        self._local_first = local_first
        self._clock = clock

    async def answer(self, request: FlagsRequest, entry: Entry[Kept] | None) -> Answer | None:
        """Return the answer, or None when upstream is to be asked; `entry` is the last good answer."""
        if self._local_first is not None:
            answer = await self._local_first.answer(request, entry)
            if answer is not None:
                return answer
        copy = None if entry is None or request.writes else self._copy(request, entry)
        if copy is None or entry is None or self._counting.is_sound(request, entry):
            return copy
        return copy if await self._counting.remains(request, entry) is None else None

    def _copy(self, request: FlagsRequest, entry: Entry[Kept]) -> Answer | None:
        now, policy = self._clock.monotonic(), request.policy
        age_s = now - entry.stored_at
        left_s = entry.fresh_until - now
        if not policy.flags:  # those with a freshness of their own are in `fresh_until`
            left_s = min(left_s, policy.fresh_s - age_s)
        if left_s + policy.stale_while_revalidate_s <= 0:
            return None
        source = Source.FRESH if left_s > 0 else Source.STALE
        return Answer(content=entry.value.whole, source=source, age_s=age_s, fresh_for_s=left_s)
