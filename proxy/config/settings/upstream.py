"""Flag services, and when they are left alone."""

from __future__ import annotations

from .section import Bytes, Count, PositiveSeconds, Ratio, Section


class Upstream(Section, frozen=True):
    """One flag service.

    Attributes:
        url: Scheme, host, optional port; a path prefix is allowed for self-hosted installs.
        assets_url: Second host for `/static/` and `/array/`; None: the same.
        ca_file: PEM bundle for a private CA; certificates are always verified.
        connections: Pool size for flag exchanges, per worker.
        connect_timeout_s: TCP and TLS.
        keepalive_s: How long an idle pooled connection is reused.
        response_bytes: Larger answers are refused as malformed.
    """

    url: str
    assets_url: str | None = None
    ca_file: str | None = None
    connections: Count = 200
    connect_timeout_s: PositiveSeconds = 1.0
    keepalive_s: PositiveSeconds = 30.0
    response_bytes: Bytes = 32 * 1024 * 1024


class Breaker(Section, frozen=True):
    """When an upstream is left alone (one breaker per upstream and worker).

    Attributes:
        window_s: Rolling window of outcomes.
        failure_ratio: Share of failures in the window that trips; the default trips on the 34 % outage.
        minimum_calls: No trip on fewer outcomes in the window.
        consecutive: This many failures in a row trip at once.
        open_s: First open period; doubles with each trip in a row up to `open_max_s`, jittered.
        probe_lease_s: A probe that never reports frees its slot after this.
    """

    window_s: PositiveSeconds = 10.0
    failure_ratio: Ratio = 0.25
    minimum_calls: Count = 20
    consecutive: Count = 10
    open_s: PositiveSeconds = 2.0
    open_max_s: PositiveSeconds = 30.0
    probe_lease_s: PositiveSeconds = 5.0
