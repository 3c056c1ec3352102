"""One flight: upstream is asked, what it says is judged, what is good is remembered, and what an outage skipped is counted.

This happens once per flight, for all who joined it and also when nobody waits any more. What came in late never replaces what
was said later: an answer is remembered only if nothing else was since it was asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.hooks import Believing, Surprise
from proxy.answer.judgement.judge import Finding, Judge
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading, is_worth_remembering
from proxy.answer.switches import Mode
from proxy.definitions.held import Held
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept, Memory
from proxy.upstream.origin import Tried

NOTHING: Final[Mapping[str, Any]] = {}
JUDGED: Final = {found: {} if found is Finding.PLAIN else {"judge": found} for found in Finding}
"""Notes of what the judge found."""

AUTH: Final = frozenset({401, 402, 403})


class Flown(msgspec.Struct, frozen=True):
    """What a flight brought back.

    Attributes:
        tried: How asking went; what judgement holds back is a failure here.
        stored: The answer was remembered.
        is_partial: It is a flags answer that says itself that it is not whole.
        notes: For `Answer.notes`.
    """

    tried: Tried
    stored: bool = False
    is_partial: bool = False
    notes: Mapping[str, Any] = {}


class Trip:
    """What is done with an upstream's answer.

    Attributes:
        judge: Weighs every error-free answer.
        undelivered: Requests on which the service would have written and that it did not answer, by project.
        overtaken: Answers that were not remembered because a later one had been.
    """

    def __init__(
        self,
        memory: Memory,
        held: Held,
        *,
        judge: Judge,
        surprise: Surprise | None = None,
    ) -> None:
        self._memory = memory
        self._held = held
        self.judge = judge
        self._surprise = surprise or Believing()
        self.undelivered: Counter[ProjectName] = Counter()
        self.overtaken = 0

    def land(self, request: FlagsRequest, mode: Mode, tried: Tried, *, sent_at: float) -> Flown:
        """Judge and remember; `sent_at`: when upstream was asked, on the proxy's clock."""
        whole, reading = tried.whole, tried.reading
        if request.writes and tried.failure is not None:
            self.undelivered[request.project] += 1
        if whole is None or tried.failure is not None:
            return Flown(tried)
        if reading is None:
            return self._refused(request, mode, tried, whole)
        if not is_worth_remembering(whole, reading):
            return Flown(tried, is_partial=True)
        return self._good(request, mode, tried, whole, reading, sent_at)

    def _good(self, request: FlagsRequest, mode: Mode, tried: Tried, whole: Whole, reading: Reading, sent_at: float) -> Flown:
        last, notes, set_mark = self._memory.get(request.key), NOTHING, None
        if mode.judge:
            verdict = self.judge.weigh(request, reading, last, self._held.get(request.project))
            notes, set_mark = JUDGED[verdict.finding], verdict.set_mark
            if verdict.is_held:
                return _held_back(tried, whole, Trouble.SUSPECT, notes)
        stored = self._remember(request, whole, last, set_mark, sent_at)
        return Flown(tried, stored, notes=notes)

    def _remember(
        self, request: FlagsRequest, whole: Whole, last: Entry[Kept] | None, set_mark: int | None, sent_at: float
    ) -> bool:
        if request.key is None:
            return False
        if last is not None and last.stored_at > sent_at:
            self.overtaken += 1
            return False
        return self._memory.remember(request.key, whole, project=request.project, policy=request.policy, set_mark=set_mark)

    def _refused(self, request: FlagsRequest, mode: Mode, tried: Tried, whole: Whole) -> Flown:
        if not mode.hysteresis or whole.status not in AUTH:
            return Flown(tried)
        verdict = self._surprise.weigh(request, whole.status)
        if verdict.is_held:
            return _held_back(tried, whole, Trouble.AUTH, verdict.notes)
        return Flown(tried, notes=verdict.notes)


def _held_back(tried: Tried, whole: Whole, trouble: Trouble, notes: Mapping[str, Any]) -> Flown:
    failure = Failure(trouble=trouble, status=whole.status)
    return Flown(msgspec.structs.replace(tried, failure=failure), notes=notes)
