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
from proxy.answer.hooks import BELIEVED, Believing, Judging, Surprise, Verdict
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading, is_worth_remembering
from proxy.answer.switches import Mode
from proxy.clock import Clock
from proxy.definitions.held import Held
from proxy.lastgood.memory import Memory
from proxy.upstream.origin import Tried

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
        undelivered: Requests on which the service would have written and that it did not answer, by project.
        overtaken: Answers that were not remembered because a later one had been.
    """

    def __init__(
        self,
        memory: Memory,
        held: Held,
        *,
        clock: Clock,
        judge: Judging | None = None,
        surprise: Surprise | None = None,
    ) -> None:
        self._memory = memory
        self._held = held
        self._clock = clock
        self._judge = judge or Believing()
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
        last = self._memory.get(request.key)
        verdict = BELIEVED
        if mode.judge:
            verdict = self._judge.weigh(request, whole, reading, last, self._held.get(request.project))
        if verdict.is_held:
            return _held_back(tried, whole, verdict, Trouble.SUSPECT)
        if request.key is None:
            return Flown(tried, notes=verdict.notes)
        if last is not None and last.stored_at > sent_at:
            self.overtaken += 1
            return Flown(tried, notes=verdict.notes)
        stored = self._memory.remember(request.key, whole, project=request.project, policy=request.policy)
        return Flown(tried, stored, notes=verdict.notes)

    def _refused(self, request: FlagsRequest, mode: Mode, tried: Tried, whole: Whole) -> Flown:
        if not mode.hysteresis or whole.status not in AUTH:
            return Flown(tried)
        verdict = self._surprise.weigh(request, whole.status)
        return _held_back(tried, whole, verdict, Trouble.AUTH) if verdict.is_held else Flown(tried, notes=verdict.notes)


def _held_back(tried: Tried, whole: Whole, verdict: Verdict, trouble: Trouble) -> Flown:
    failure = Failure(trouble=trouble, status=whole.status)
    return Flown(msgspec.structs.replace(tried, failure=failure), notes=verdict.notes)
