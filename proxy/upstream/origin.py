"""One upstream as the line sees it: a place in the bulkhead, the breaker's leave, the exchange, and what was learnt from it.

    admission ─► breaker.admit ─► exchange ─► (one retry) ─► meaning ─► breaker.settle

Refused at once, and told why, when there is no place or the breaker is open. A retry is made once, inside the budget and the
same deadline, and only where a pooled connection had died under the request before a byte of an answer came.
"""

from __future__ import annotations

from typing import Final

import msgspec

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import Reading, read_answer
from proxy.config.settings import Breaker, Upstream

from .admission import Bulkhead
from .breaker import Gate, Permit
from .budget import RetryBudget
from .exchange import Transport
from .outcomes import Feed, Meaning, failure, meaning

_POST: Final = "POST"


class Tried(msgspec.Struct, frozen=True):
    """How asking upstream went.

    Attributes:
        whole: Upstream's answer; None when there was none, or none that may be handed on.
        failure: Why another source should answer instead; None when `whole` is good.
        reading: The parsed 200 of an evaluation; None for everything else.
    """

    whole: Whole | None
    failure: Failure | None = None
    reading: Reading | None = None


class OriginSettings(msgspec.Struct, frozen=True):
    """What an origin is made from: while these stay the same, so does its breaker's memory across a reload.

    `has_one_project`: an upstream with one project takes that project's 429 as its own failure (there is nobody else to ask).
    """

    upstream: Upstream
    breaker: Breaker
    has_one_project: bool


class Origin:
    """One upstream, guarded."""

    def __init__(
        self, settings: OriginSettings, *, transport: Transport, gate: Gate, bulkhead: Bulkhead, budget: RetryBudget
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.gate = gate
        self.bulkhead = bulkhead
        self._budget = budget

    async def ask(self, request: FlagsRequest) -> Tried:
        """Ask upstream, if it may be asked; never raises for trouble of the upstream's."""
        refusal = self.bulkhead.enter()
        if refusal is not None:
            return Tried(None, refusal)
        try:
            permit = self.gate.admit()
            if isinstance(permit, Failure):
                return Tried(None, permit)
            return await self._ask(request, permit)
        finally:
            self.bulkhead.leave()

    async def _ask(self, request: FlagsRequest, permit: Permit) -> Tried:
        is_success: bool | None = None
        try:
            answer = await self._exchange(request, permit)
            tried, feed = _weigh(request, answer)
            is_success = not self._counts(feed)
            return tried
        finally:
            # A cancelled exchange gives its permit back and teaches nothing.
            self.gate.settle(permit, is_success=is_success)

    async def _exchange(self, request: FlagsRequest, permit: Permit) -> Whole | Failure:
        self._budget.deposit()
        answer = await self.transport.exchange(request)
        if _died_in_the_pool(answer) and not permit.is_probe and self._budget.withdraw():
            return await self.transport.exchange(request)
        return answer

    def _counts(self, feed: Feed) -> bool:
        return feed is Feed.UPSTREAM or (feed is Feed.PROJECT and self.settings.has_one_project)


def _died_in_the_pool(answer: Whole | Failure) -> bool:
    return isinstance(answer, Failure) and answer.trouble is Trouble.RESET and answer.no_byte_received


def _weigh(request: FlagsRequest, answer: Whole | Failure) -> tuple[Tried, Feed]:
    if isinstance(answer, Failure):
        return Tried(None, answer), Feed.UPSTREAM
    is_evaluation = request.method == _POST
    reading = read_answer(answer) if is_evaluation else None
    row = meaning(answer, is_evaluation=is_evaluation, is_flags_body=reading is not None)
    return _tried(answer, row, reading), row.feed


def _tried(answer: Whole, row: Meaning, reading: Reading | None) -> Tried:
    if row.trouble is None:
        return Tried(answer, None, reading)
    return Tried(answer if row.is_relayable else None, failure(answer, row.trouble))
