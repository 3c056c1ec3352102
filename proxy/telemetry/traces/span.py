"""One finished span, small enough to be sent in one piece; what it says is decided in `story`."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

Value: TypeAlias = str | bool | int | float | list[str]
Attributes: TypeAlias = dict[str, Value]

SERVER: Final = 2
CLIENT: Final = 3
"""Kinds, numbered as OTLP numbers them."""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened on the way. `at_ns`: Unix nanoseconds."""

    name: str
    at_ns: int
    attributes: Attributes = {}


class Link(msgspec.Struct, frozen=True, array_like=True):
    """Another span that has to do with this one, in the same trace or another; ids as in `Span`."""

    trace_id: str
    span_id: str


class Span(msgspec.Struct, frozen=True, array_like=True):
    """One span.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_id: 16 hexadecimal digits; empty: it is the root.
        is_remote: The parent is another process's.
        state: `tracestate`, or nothing.
        name: Low cardinality: method and route.
        kind: `SERVER` or `CLIENT`.
        start_ns: Unix nanoseconds.
        end_ns: Unix nanoseconds.
        is_error: The status of the span.
        attributes: What it says; never a token, an identity or an address.
        events: In order.
        links: To the span of the request whose exchange this one shared.
    """

    trace_id: str
    span_id: str
    parent_id: str
    is_remote: bool
    state: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    is_error: bool
    attributes: Attributes
    events: list[Event] = []
    links: list[Link] = []


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Span).decode
