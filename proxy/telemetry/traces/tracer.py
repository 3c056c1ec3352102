"""Makes the spans of one worker: one for a traced request, one for each of its exchanges.

The trace under way is a context variable, so an exchange finds it in the flight's task, too (the leader's: the span of who
joined is linked to the leader's). A request that was not drawn makes nothing, and is told afterwards when it was troubled and
there is room; its exchange is then found among the last ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from proxy.answer.answer import Answer
from proxy.answer.request import FlagsRequest
from proxy.clock import Clock

from . import story
from .context import TRACEPARENT, Parent, written
from .current import Trace
from .draw import Draw
from .exchanged import Exchanged, Exchanges, digest_of
from .post import Post
from .span import CLIENT, SERVER, Attributes, Event, Link, Span


class Tracer:
    """One worker's.

    Attributes:
        draw: Which requests are traced.
    """

    def __init__(
        self, draw: Draw, post: Post, *, clock: Clock, rng: Random, generation: Callable[[str], int | None] = lambda _: None
    ) -> None:
        self.draw = draw
        self.post = post
        self._clock = clock
        self._rng = rng
        self._generation = generation
        self._exchanges = Exchanges()

    def begin(self, parent: Parent | None, started: float, *, is_trusted: bool) -> Trace | None:
        """Return the trace of a request that is drawn; whoever gets one calls `end`."""
        return self._trace(parent, started) if self.draw.before(parent, is_trusted=is_trusted) else None

    def end(self, trace: Trace, request: FlagsRequest, answer: Answer) -> None:
        """Tell of a traced request."""
        self.own(
            trace,
            story.name_of(request),
            story.decision(request, answer, generation=self._generation(request.project)),
            kind=SERVER,
            is_error=story.is_error(answer),
            events=story.way(request, answer, at_ns=_ns(self._clock.wall())),
            links=self._exchanges.leader(request) if answer.joined else [],
        )

    def tell(self, parent: Parent | None, request: FlagsRequest, answer: Answer) -> Trace | None:
        """Tell of a troubled request that was not drawn, if there is room: its exchange, too, where that is remembered.

        Return its trace, over already; None: there was no room.
        """
        reason = str(answer.source) if answer.failure is None else str(answer.failure.trouble)
        trace = self.after(request.project, reason, parent, request.started)
        if trace is None:
            return None
        if not (answer.joined and self._exchanges.leader(request)):  # else the leader's trace has it
            for exchanged in self._exchanges.of(request):
                self._exchanges.begun(exchanged.digest, trace)
                self._exchanges.ended(exchanged.digest, trace, exchanged.ended)
                self._send(trace, exchanged, self.new_id())
        self.end(trace, request, answer)
        return trace

    def carried(self, request: FlagsRequest, trace: Trace, span_id: str) -> FlagsRequest:
        """Return the request as it goes out below a span of ours: with our lines in place of the caller's."""
        self._exchanges.begun(digest_of(request), trace)
        kept = tuple(line for line in request.headers if line[0].lower() != TRACEPARENT)
        return msgspec.structs.replace(request, headers=(*kept, (TRACEPARENT, written(trace.trace_id, span_id))))

    def exchanged(self, trace: Trace | None, span_id: str, exchanged: Exchanged) -> None:
        """Take an exchange that ended: told now when it belongs to a trace, else remembered for a while."""
        if trace is None:
            self._exchanges.keep(exchanged)
        else:
            self._exchanges.ended(exchanged.digest, trace, exchanged.ended)
            self._send(trace, exchanged, span_id)

    def after(self, project: str, reason: str, parent: Parent | None, started: float) -> Trace | None:
        """Return the trace of something troubled that was not drawn, if there is room to tell of it."""
        return self._trace(parent, started) if self.draw.after(project, reason) else None

    def own(
        self,
        trace: Trace,
        name: str,
        attributes: Attributes,
        *,
        kind: int,
        is_error: bool,
        events: Sequence[Event] = (),
        links: Sequence[Link] = (),
    ) -> None:
        """Tell of a trace's own span, which ends now."""
        offset, parent = self._clock.wall() - self._clock.monotonic(), trace.parent
        self.post.send(
            Span(
                trace_id=trace.trace_id,
                span_id=trace.span_id,
                parent_id="" if parent is None else parent.span_id,
                is_remote=True,
                state="" if parent is None else parent.state,
                name=name,
                kind=kind,
                start_ns=_ns(trace.started + offset),
                end_ns=_ns(self._clock.monotonic() + offset),
                is_error=is_error,
                attributes=attributes,
                events=list(events),
                links=list(links),
            )
        )

    def below(self, trace: Trace, span_id: str, name: str, attributes: Attributes, *, times: tuple[float, float]) -> None:
        """Tell of an exchange below a trace's own span; `times`: monotonic seconds of its begin and end."""
        offset = self._clock.wall() - self._clock.monotonic()
        self.post.send(
            Span(
                trace_id=trace.trace_id,
                span_id=span_id,
                parent_id=trace.span_id,
                is_remote=False,
                state="" if trace.parent is None else trace.parent.state,
                name=name,
                kind=CLIENT,
                start_ns=_ns(times[0] + offset),
                end_ns=_ns(times[1] + offset),
                is_error="error.type" in attributes,
                attributes=attributes,
            )
        )

    def new_id(self) -> str:
        """Return the id of a span to be."""
        return f"{self._rng.getrandbits(64) or 1:016x}"

    def _send(self, trace: Trace, exchanged: Exchanged, span_id: str) -> None:
        told = story.exchange(exchanged.upstream, exchanged.method, exchanged.result)
        name = story.method_of(exchanged.method)
        self.below(trace, span_id, name, told, times=(exchanged.started, exchanged.ended))

    def _trace(self, parent: Parent | None, started: float) -> Trace:
        trace_id = f"{self._rng.getrandbits(128) or 1:032x}" if parent is None else parent.trace_id
        return Trace(trace_id, self.new_id(), parent, started)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
