"""Flag services, and when they are left alone."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .section import Bytes, Count, PositiveSeconds, Ratio, Seconds, Section

LONGEST_OPEN_S: Final = 30.0
"""No breaker leaves an upstream alone for longer than this at a time."""


class Upstream(Section, frozen=True):
    """One flag service.

    Attributes:
        url: Scheme, host, optional port; a path prefix is allowed for self-hosted installs.
        assets_url: Second host for `/static/` and `/array/`; None: the same.
        ca_file: PEM bundle for a private CA; certificates are always verified.
        connections: Exchanges with it at a time, per worker; the pool is as large.
        project_ratio: Share of them that one project may take, where several share this upstream.
        queue: Requests that may wait for a place …
        queue_wait_s: … each for so long.
        slow_lane: Exchanges beside those, for who has no other source while upstream is too slow for everybody; 0: none.
        connect_timeout_s: TCP and TLS.
        keepalive_s: How long an idle pooled connection is reused.
        response_bytes: Larger answers are refused as malformed.
    """

    url: str
    assets_url: str | None = None
    ca_file: str | None = None
    connections: Count = 200
    project_ratio: Ratio = 0.5
    queue: Annotated[int, Meta(ge=0, le=100_000)] = 100
    queue_wait_s: Annotated[float, Meta(ge=0, le=2.5)] = 0.1
    slow_lane: Annotated[int, Meta(ge=0, le=1_000)] = 5
    connect_timeout_s: PositiveSeconds = 1.0
    keepalive_s: PositiveSeconds = 30.0
    response_bytes: Bytes = 32 * 1024 * 1024


class Breaker(Section, frozen=True):
    """When an upstream is left alone (one breaker per upstream and worker), and how it is asked again.

    Attributes:
        window_s: Rolling window of outcomes.
        failure_ratio: Share of failures in the window, or in its last quarter, that trips; the default does on the 34 % outage.
        slow_s: A call that has taken this long is slow, the moment it has.
        slow_ratio: Share of slow calls in the window, or in its last quarter, that trips.
        minimum_calls: No share trips on fewer calls in the window.
        consecutive: This many failures in a row trip at once.
        open_s: First open period; doubles with each trip in a row up to `open_max_s`, jittered.
        open_max_s: Longest open period. With the default, calls are normal 30 s after an outage has ended: a slow last probe,
            one such period, the probes and the ramp.
        retry_after_max_s: An open period is at least what a failed answer's `Retry-After` asked for, up to this.
        probes: Good probes in a row that close it.
        probe_lease_s: A probe that never reports frees its slot after this.
        ramp_s: After closing, the share of calls let through grows from 10 to 100 % over this; 0: all at once.
    """

    window_s: PositiveSeconds = 10.0
    failure_ratio: Ratio = 0.25
    slow_s: PositiveSeconds = 1.5
    slow_ratio: Ratio = 0.5
    minimum_calls: Count = 20
    consecutive: Count = 10
    open_s: PositiveSeconds = 2.0
    open_max_s: Annotated[float, Meta(gt=0, le=LONGEST_OPEN_S)] = 15.0
    retry_after_max_s: Annotated[float, Meta(ge=0, le=LONGEST_OPEN_S)] = 30.0
    probes: Count = 3
    probe_lease_s: PositiveSeconds = 5.0
    ramp_s: Seconds = 10.0
