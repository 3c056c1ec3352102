"""The one place where the line is watched: every answer and every exchange passes here once, is counted, and may be traced.

Nothing here awaits anything but the exchange itself, and nothing changes what is answered. Switched off, it counts on a slate
that nobody reads.
"""

from __future__ import annotations

from typing import Final

from proxy.answer.answer import Answer, Failure, Whole
from proxy.answer.request import FlagsRequest
from proxy.clock import Clock
from proxy.config.settings import Telemetry
from proxy.upstream.exchange import Transport

from .access import Access
from .handing import Handing
from .metrics.meter import Meter
from .traces.context import Parent
from .traces.current import CURRENT, Trace
from .traces.exchanged import exchanged_by
from .traces.tracer import Tracer

_ERROR: Final = 500


class Watch:
    """One worker's watch over its line.

    Attributes:
        meter: What counts.
        tracer: What traces; None while there is nobody to send spans to.
        handing: What traces everything but the flag endpoints.
        access: What writes lines about requests; None: nobody does.
    """

    def __init__(self, meter: Meter, tracer: Tracer | None, *, clock: Clock) -> None:
        self.meter = meter
        self.tracer: Tracer | None = None
        self.handing = Handing(lambda: self.tracer, clock=clock)
        self.access: Access | None = None
        self._tracer = tracer
        self._clock = clock
        self._now = clock.monotonic

    def reconfigure(self, settings: Telemetry) -> None:
        """Trace as these settings say from the next request on."""
        self.tracer = None if settings.otlp_url is None else self._tracer
        if self._tracer is not None:
            self._tracer.draw.ratio = settings.trace_ratio

    def begin(self, parent: Parent | None, request: FlagsRequest, *, is_trusted: bool) -> Trace | None:
        """Return the trace of a request that is drawn, now the current one; it ends with `answered` or `abandoned`."""
        if self.tracer is None:
            return None
        trace = self.tracer.begin(parent, request.started, is_trusted=is_trusted)
        if trace is not None:
            CURRENT.set(trace)
        return trace

    def abandoned(self) -> None:
        """End the current trace without a word: its request broke off. A connection's requests share one context."""
        CURRENT.set(None)

    def answered(self, request: FlagsRequest, answer: Answer, trace: Trace | None, parent: Parent | None) -> None:
        """Count an answer, and tell of it where it was drawn or went wrong."""
        took_s = self._now() - request.started
        self.meter.answered(request, answer, took_s)
        if self.tracer is not None:
            if trace is not None:
                self.tracer.end(trace, request, answer)
                CURRENT.set(None)
            elif answer.failure is not None or answer.content.status >= _ERROR:
                trace = self.tracer.tell(parent, request, answer)
        if self.access is not None and (answer.failure is not None or self.access.ratio):
            self.access.note(request, answer, took_s, trace)

    def over(self, transport: Transport, upstream: str) -> Transport:
        """Return a transport whose exchanges are watched, too."""
        return _Watched(transport, upstream, self, clock=self._clock)


class _Watched:
    """Counts and traces the exchanges of one transport."""

    def __init__(self, transport: Transport, upstream: str, watch: Watch, *, clock: Clock) -> None:
        self._transport = transport
        self._upstream = upstream
        self._watch = watch
        self._clock = clock

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        started = self._clock.monotonic()
        tracer, trace = self._watch.tracer, CURRENT.get()
        if tracer is None or trace is None:
            result = await self._transport.exchange(request)
            span_id = ""
        else:
            span_id = tracer.new_id()
            result = await self._transport.exchange(tracer.carried(request, trace, span_id))
        ended = self._clock.monotonic()
        self._watch.meter.exchanged(self._upstream, result, ended - started)
        if tracer is not None:
            tracer.exchanged(trace, span_id, exchanged_by(request, self._upstream, result, (started, ended)))
        return result

    async def close(self) -> None:
        await self._transport.close()
