"""What the line produces: an `Answer`, or the `Failure` that kept one away.

Expected trouble is a value, never an exception. An answer's source, its age and the failure that led there are set here once
and go to the headers, the span, the metric and the log from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec


class Source(StrEnum):
    """Where an answer came from; MERGED: from upstream, with flags that it could not say filled from elsewhere."""

    UPSTREAM = "upstream"
    MERGED = "merged"
    FRESH = "fresh"
    STALE = "stale"
    LOCAL = "local"
    CONFIGURED = "configured"
    NONE = "none"


class Trouble(StrEnum):
    """Why upstream gave no usable answer: a closed vocabulary, also on the wire (`Proxy-Status`) and in metrics."""

    REFUSED = "connection_refused"
    DNS = "dns_error"
    TLS = "tls_error"
    RESET = "connection_reset"
    TIMEOUT = "timeout"
    CONNECT_TIMEOUT = "connect_timeout"
    STATUS = "status"
    RATE_LIMITED = "rate_limited"
    AUTH = "auth"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"
    TOO_LARGE = "too_large"
    BREAKER_OPEN = "breaker_open"
    BREAKER_RECOVERING = "breaker_recovering"
    SHED = "shed"
    SUSPECT = "suspect"
    PARTIAL = "partial"
    OVER_QUOTA = "over_quota"


class Forward(StrEnum):
    """Why a request went (or would have gone) upstream: the reasons of RFC 9211 §2.2 that occur here."""

    METHOD = "method"
    BYPASS = "bypass"
    MISS = "miss"
    STALE = "stale"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One failed try, or the refusal to try.

    Attributes:
        trouble: Why.
        status: The upstream's real status where it gave one (never one the parser made up).
        retry_after_s: How long upstream, or our breaker, wants to be left alone.
        no_byte_received: Nothing of an answer arrived: the request may safely be sent again.
        is_slowness: The breaker is open because upstream is slow: who has no other source may use the reserved lane.
    """

    trouble: Trouble
    status: int | None = None
    retry_after_s: float | None = None
    no_byte_received: bool = False
    is_slowness: bool = False


class Whole(msgspec.Struct, frozen=True):
    """The upstream's own bytes, untouched. Remembered: status, content type, body; never headers.

    `headers` are the other end-to-end headers of a live answer (lower-case name, value); empty for a remembered one.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Assembled(msgspec.Struct, frozen=True):
    """Bytes that we rendered from records of one or several rungs (`shape` does the rendering).

    `sources` tells, flag key → rung, where each record came from; it goes to traces and `explain`, never to the client.
    """

    body: bytes
    sources: Mapping[str, Source] = {}
    status: int = 200
    content_type: str = "application/json"


Content: TypeAlias = Whole | Assembled


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the client gets, and the story of how.

    Attributes:
        content: The bytes.
        source: Where they came from.
        age_s: Seconds since upstream (or the definitions) said so; 0 for a live answer.
        failure: What went wrong upstream before another rung answered; None when nothing did.
        joined: The answer was shared with other requests in flight.
        forward: Why a fresh copy did not answer; None when one did.
        stored: The answer was remembered on its way.
        fresh_for_s: How long a remembered answer stays fresh; negative when it no longer is; None for others.
        notes: Room for later stages (definitions version, judge holds …), names from a fixed vocabulary.
    """

    content: Content
    source: Source
    age_s: float = 0.0
    failure: Failure | None = None
    joined: bool = False
    forward: Forward | None = None
    stored: bool = False
    fresh_for_s: float | None = None
    notes: Mapping[str, Any] = {}
