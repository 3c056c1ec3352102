"""Where traces and metrics are pushed, and how many requests are traced."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .section import Bytes, PositiveSeconds, SecretSource, Section


class Telemetry(Section, frozen=True):
    """OpenTelemetry, over OTLP/HTTP. Prometheus' `/metrics` on the admin listener needs none of it.

    Attributes:
        otlp_url: Base URL of a collector (`http://127.0.0.1:4318`), to which `/v1/traces` and `/v1/metrics` are added; None:
            nothing is pushed and nothing is traced.
        authorization: Value of the `Authorization` header sent to it; None: there is none.
        trace_ratio: Share of requests that are traced from the start; a caller inside `trusted_proxies` decides for its own.
        push_s: How often metrics are pushed.
        timeout_s: Longest time for one push, tries included; what does not get through in it is dropped and counted.
        queue_bytes: Spans that wait for the collector, at most; more are dropped and counted.
        service_name: `service.name` of everything pushed.
    """

    otlp_url: str | None = None
    authorization: SecretSource | None = None
    trace_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    push_s: Annotated[float, Meta(ge=1, le=3600)] = 15.0
    timeout_s: PositiveSeconds = 5.0
    queue_bytes: Bytes = 4 * 1024 * 1024
    service_name: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}$")] = "holdfast"
