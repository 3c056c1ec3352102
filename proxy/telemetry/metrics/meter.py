"""What one worker counts while it answers: a few stores into the slate for each answer, each refusal and each exchange.

The whole cost on a hit is about one microsecond: one dictionary look-up, two bisections, five stores. Nothing here waits, and
nothing here ever sees a token, an identity, a flag or an address.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, TypeAlias

from proxy.answer.answer import Answer, Failure, Source, Trouble, Whole
from proxy.answer.request import FlagsRequest
from proxy.telemetry.traces.story import method_of

from .slate import Slate
from .table import AGE_BOUNDS, AGES, ANSWERS, DURATION_BOUNDS, DURATIONS, EXCHANGE_DURATIONS, EXCHANGES, OTHERS, REFUSALS

OK: Final = "ok"
CALLERS: Final = "client_error"
"""Outcome of an answer that upstream gave and that says the caller erred (4xx): upstream works."""
UNAVAILABLE: Final = "error"
"""Outcome of a 5xx without a failure that explains it (an answer of a bypassed project, for one)."""

_MOST_ROWS: Final = 4096
_SUM_OF_DURATIONS: Final = len(DURATION_BOUNDS) + 1
_SUM_OF_AGES: Final = len(AGE_BOUNDS) + 1
_AT_HAND: Final[tuple[Source, ...]] = (Source.FRESH, Source.LOCAL)
_REMEMBERED: Final = frozenset({Source.FRESH, Source.STALE, Source.LOCAL})

Row: TypeAlias = tuple[int, int, int]


class Meter:
    """One worker's counting hand."""

    def __init__(self, slate: Slate) -> None:
        self.slate = slate
        self._cells = slate.cells
        self._rows: dict[tuple[str, str, str, int, str, Trouble | None], Row] = {}
        self._at_hand: dict[int, tuple[Source, float]] = {}
        self._exchanges: dict[tuple[str, int, Trouble | None], tuple[int, int]] = {}

    def answered(self, request: FlagsRequest, answer: Answer, took_s: float) -> None:
        """Count one answer; `took_s` is from the request's arrival."""
        failure = answer.failure
        trouble = None if failure is None else failure.trouble
        key = (request.project, request.path, request.method, answer.content.status, answer.source, trouble)
        row = self._rows.get(key)
        if row is None:
            row = self._row(key, request, answer)
        counted, durations, ages = row
        cells = self._cells
        cells[counted] += 1.0
        cells[durations + bisect_left(DURATION_BOUNDS, took_s)] += 1.0
        cells[durations + _SUM_OF_DURATIONS] += took_s
        if ages:
            age_s = answer.age_s
            cells[ages + bisect_left(AGE_BOUNDS, age_s)] += 1.0
            cells[ages + _SUM_OF_AGES] += age_s

    def refused(self, status: int) -> None:
        """Count a flag request that was refused before the line."""
        self._cells[self.slate.place(REFUSALS, (str(status),))] += 1.0

    def other(self, status: int) -> None:
        """Count a request to anything but the flag endpoints."""
        self._cells[self.slate.place(OTHERS, (str(status),))] += 1.0

    def exchanged(self, upstream: str, result: Whole | Failure, took_s: float) -> None:
        """Count one exchange, by its status or its trouble."""
        key = (upstream, result.status or 0, result.trouble if isinstance(result, Failure) else None)
        row = self._exchanges.get(key)
        if row is None:
            row = self._exchange_row(key)
        cells = self._cells
        cells[row[0]] += 1.0
        cells[row[1] + bisect_left(DURATION_BOUNDS, took_s)] += 1.0
        cells[row[1] + _SUM_OF_DURATIONS] += took_s

    def without_asking(self) -> dict[Source, float]:
        """Return how many answers of this life nobody had to be asked for, by source."""
        found: dict[Source, float] = dict.fromkeys(_AT_HAND, 0.0)
        for at, (source, before) in self._at_hand.items():
            found[source] += self._cells[at] - before
        return found

    def _row(self, key: tuple[str, str, str, int, str, Trouble | None], request: FlagsRequest, answer: Answer) -> Row:
        if len(self._rows) >= _MOST_ROWS:  # methods and statuses are others' words: never a table without end
            self._rows.clear()
        project, source = str(request.project), str(answer.source)
        method = method_of(request.method)
        slate = self.slate
        row = (
            slate.place(ANSWERS, (project, source, outcome_of(answer))),
            slate.place(DURATIONS, (method, f"/{request.family}", str(answer.content.status), source)),
            slate.place(AGES, (project, source)) if answer.source in _REMEMBERED else 0,
        )
        if answer.failure is None and answer.source in _AT_HAND:
            self._at_hand.setdefault(row[0], (answer.source, self._cells[row[0]]))
        self._rows[key] = row
        return row

    def _exchange_row(self, key: tuple[str, int, Trouble | None]) -> tuple[int, int]:
        if len(self._exchanges) >= _MOST_ROWS:
            self._exchanges.clear()
        upstream, status, trouble = key
        said = str(status) if status else ""
        ended = str(trouble) if trouble else (f"{status // 100}xx" if status else "")
        row = (
            self.slate.place(EXCHANGES, (upstream, ended)),
            self.slate.place(EXCHANGE_DURATIONS, (upstream, said, str(trouble or ""))),
        )
        self._exchanges[key] = row
        return row


def outcome_of(answer: Answer) -> str:
    """Return why an answer is what it is: `ok`, the trouble that led to it, or whose error its status tells."""
    if answer.failure is not None:
        return str(answer.failure.trouble)
    match answer.content.status // 100:
        case 4:
            return CALLERS
        case 5:
            return UNAVAILABLE
        case _:
            return OK
