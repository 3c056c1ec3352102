"""W3C Trace Context: the two header lines, read and written (https://www.w3.org/TR/trace-context-1/).

A line that is not valid is as good as none: it is never repaired. Whether the caller's wish to be sampled counts is not
decided here.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
NAMES: Final = frozenset({TRACEPARENT, TRACESTATE})

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_STATE: Final = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,511}", re.ASCII)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_SAMPLED: Final = 1


class Parent(msgspec.Struct, frozen=True):
    """The caller's span, as the caller says.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        is_sampled: The caller records it.
        line: The `traceparent` line as it came.
        state: The `tracestate` line as it came; empty: none, or none that is valid.
    """

    trace_id: str
    span_id: str
    is_sampled: bool
    line: str
    state: str = ""

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The header lines to hand on when no span of ours stands between."""
        own = ((TRACEPARENT, self.line),)
        return (*own, (TRACESTATE, self.state)) if self.state else own


def read_parent(line: str, state: str | None) -> Parent | None:
    """Return what a caller's lines say; None when they are not valid."""
    found = _FORM.fullmatch(line)
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    kept = state if state and _STATE.fullmatch(state) else ""
    return Parent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED), line, kept)


def written(trace_id: str, span_id: str) -> str:
    """Return the `traceparent` line of a span that is recorded."""
    return f"00-{trace_id}-{span_id}-01"
