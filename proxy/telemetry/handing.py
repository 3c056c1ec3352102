"""Spans of what is handed on and not decided: relayed and streamed requests, and the polls for definitions.

Sampled as everything else is: a request or poll is drawn before anything is made, and of exchanges that failed without having
been drawn up to ten a second are told afterwards for each use and reason. Told are methods, statuses, our own words and
configured names: paths of these endpoints carry tokens and keys of flags, and so does what they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias

import msgspec
from aiohttp import ClientConnectionResetError

from proxy.clock import Clock
from proxy.upstream.errors import EXPECTED, failure_of

from .traces import story
from .traces.context import TRACEPARENT, TRACESTATE, Parent, read_parent, written
from .traces.current import CURRENT, Trace
from .traces.span import CLIENT, SERVER
from .traces.tracer import Tracer

HeaderLines: TypeAlias = tuple[tuple[str, str], ...]

POLL: Final = "definitions"
_ERROR: Final = 500


class Whither(msgspec.Struct, frozen=True):
    """What an exchange is for (`relay`, `ingestion`, `assets`, `definitions`), and whom it asks, by configured names."""

    use: str
    upstream: str
    project: str = ""


class Passing:
    """A drawn request on its way through; `whither` is set by the exchange that it comes to, if it comes to one."""

    __slots__ = ("method", "trace", "whither")

    def __init__(self, trace: Trace, method: str) -> None:
        self.trace = trace
        self.method = method
        self.whither: Whither | None = None


class Exchange:
    """One exchange under way: `lines` is what to send; whoever makes it says what came of it."""

    __slots__ = ("lines", "status", "trouble")

    def __init__(self, lines: HeaderLines) -> None:
        self.lines = lines
        self.status: int | None = None
        self.trouble = ""


_PASSING: ContextVar[Passing | None] = ContextVar("passing", default=None)


class Handing:
    """One process's. `tracer` gives who makes spans now; None: nobody does."""

    def __init__(self, tracer: Callable[[], Tracer | None], *, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock

    def begin(self, method: str, parent: Parent | None, *, is_trusted: bool) -> Passing | None:
        """Return a request that is drawn, now the current one; whoever gets one calls `end`."""
        tracer = self._tracer()
        trace = None if tracer is None else tracer.begin(parent, self._clock.monotonic(), is_trusted=is_trusted)
        if trace is None:
            return None
        passing = Passing(trace, method)
        _PASSING.set(passing)
        CURRENT.set(trace)
        return passing

    def end(self, passing: Passing, status: int | None) -> None:
        """Tell of a request, unless nothing of it was handed on. `status` None: it broke off."""
        _PASSING.set(None)
        CURRENT.set(None)
        tracer = self._tracer()
        if tracer is None or passing.whither is None:
            return
        told = story.passed(passing.method, passing.whither, status)
        is_error = status is None or status >= _ERROR
        tracer.own(passing.trace, story.method_of(passing.method), told, kind=SERVER, is_error=is_error)

    @contextmanager
    def over(self, whither: Whither, method: str, lines: HeaderLines, *, is_own: bool = False) -> Iterator[Exchange]:
        """Watch one exchange: a span below the current request's, or, where it is our own doing, one by itself."""
        tracer = self._tracer()
        if tracer is None:
            yield Exchange(lines)
            return
        watched = _Watched(tracer, whither, method, lines, started=self._clock.monotonic())
        watched.draw(is_own=is_own)
        exchange = watched.exchange
        try:
            yield exchange
        except EXPECTED as error:
            if not _is_callers(error, exchange):
                exchange.trouble = failure_of(error).trouble.value
            raise
        finally:
            watched.end(self._clock.monotonic())


def _is_callers(error: BaseException, exchange: Exchange) -> bool:
    """Tell whether the caller hung up while the answer was handed to them: that is no trouble of upstream's."""
    return exchange.status is not None and isinstance(error, ClientConnectionResetError)


class _Watched:
    """An exchange, and the span that it may become."""

    def __init__(self, tracer: Tracer, whither: Whither, method: str, lines: HeaderLines, *, started: float) -> None:
        self.exchange = Exchange(lines)
        self._tracer = tracer
        self._whither = whither
        self._method = method
        self._started = started
        self._above: Trace | None = None  # the request's span …
        self._own: Trace | None = None  # … or the exchange's, by itself
        self._span_id = ""

    def draw(self, *, is_own: bool) -> None:
        passing = _PASSING.get()
        if passing is not None:
            passing.whither = self._whither
            self._above, self._span_id = passing.trace, self._tracer.new_id()
            self._carry(passing.trace.trace_id, self._span_id)
        elif is_own:
            self._own = self._tracer.begin(None, self._started, is_trusted=False)
            if self._own is not None:
                self._carry(self._own.trace_id, self._own.span_id)

    def end(self, at: float) -> None:
        exchange, tracer = self.exchange, self._tracer
        told = story.handed_on(self._method, self._whither, exchange.status, exchange.trouble)
        name = story.method_of(self._method)
        if self._above is not None:
            tracer.below(self._above, self._span_id, name, told, times=(self._started, at))
            return
        own = self._own
        if own is None and exchange.trouble:
            own = tracer.after(self._whither.project or self._whither.use, exchange.trouble, self._parent(), self._started)
        if own is not None:
            tracer.own(own, name, told, kind=CLIENT, is_error="error.type" in told)

    def _carry(self, trace_id: str, span_id: str) -> None:
        kept = tuple(line for line in self.exchange.lines if line[0].lower() != TRACEPARENT)
        self.exchange.lines = (*kept, (TRACEPARENT, written(trace_id, span_id)))

    def _parent(self) -> Parent | None:
        lines = {name.lower(): value for name, value in self.exchange.lines}
        line = lines.get(TRACEPARENT)
        return None if line is None else read_parent(line, lines.get(TRACESTATE))
