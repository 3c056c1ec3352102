"""The trace under way: a context variable, so that an exchange finds it in the flight's task, and a log line anywhere below."""

from __future__ import annotations

from contextvars import ContextVar

import msgspec

from .context import Parent


class Trace(msgspec.Struct, frozen=True):
    """A server span under way. `started`: monotonic seconds."""

    trace_id: str
    span_id: str
    parent: Parent | None
    started: float


CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)
