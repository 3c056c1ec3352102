"""Lines about requests: a share of all, and of those in trouble up to `MOST_PER_S` a second for each project and reason.

A line says what the headers and the span say, in the same words. It holds nothing of the request itself: no path but the
endpoint's, no query, no header, no address, no body.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from proxy.answer.answer import Answer
from proxy.answer.request import FlagsRequest
from proxy.clock import Clock

from .logs import Logger
from .metrics.meter import outcome_of
from .traces.current import Trace
from .traces.draw import Draw


class Access:
    """One worker's. `ratio`: the share of requests without trouble that get a line."""

    def __init__(self, *, ratio: float, clock: Clock, log: Logger, random: Callable[[], float] | None = None) -> None:
        draws = random or Random().random  # noqa: S311 - which line is written is no secret
        self.ratio = ratio
        self._random = draws
        self._draw = Draw(ratio=0.0, random=draws, clock=clock)
        self._log = log

    def note(self, request: FlagsRequest, answer: Answer, took_s: float, trace: Trace | None) -> None:
        """Write a request's line, if it gets one; `trace` is what tells of it, too."""
        outcome = outcome_of(answer)
        if answer.failure is not None and self._draw.after(request.project, outcome):
            self._log.warning("fallback", **_said(request, answer, outcome, took_s), **_ids(trace))
        elif self._random() < self.ratio:
            self._log.info("answered", **_said(request, answer, outcome, took_s), **_ids(trace))


def _ids(trace: Trace | None) -> dict[str, str]:
    return {} if trace is None else {"trace_id": trace.trace_id, "span_id": trace.span_id}


def _said(request: FlagsRequest, answer: Answer, outcome: str, took_s: float) -> dict[str, Any]:
    return {
        "project": str(request.project),
        "endpoint": str(request.family),
        "source": str(answer.source),
        "outcome": outcome,
        "status": answer.content.status,
        "age_s": round(answer.age_s, 3),
        "took_ms": round(took_s * 1000, 3),
    }
