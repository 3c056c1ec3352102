"""The SDK's OTLP/HTTP exporters, made to our settings: no proxy, no credentials and no endpoint from the environment."""

from __future__ import annotations

import logging
import time

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from proxy.config.secret import Secret
from proxy.config.settings import Telemetry
from proxy.telemetry.metrics.snapshot import Measured
from proxy.telemetry.traces.span import decode

from .translated import figures, resource_of, span


class Otlp:
    """One collector, over OTLP/HTTP."""

    def __init__(self, settings: Telemetry, *, authorization: Secret | None, instance: str, started_ns: int) -> None:
        assert settings.otlp_url is not None
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would write a line a failure; we write one an outage
        base = settings.otlp_url.rstrip("/")
        headers = {} if authorization is None else {"Authorization": authorization.reveal()}
        self._resource = resource_of(settings.service_name, instance)
        self._started_ns = started_ns
        self._spans = OTLPSpanExporter(
            f"{base}/v1/traces", headers=headers, timeout=settings.timeout_s, compression=Compression.Gzip, session=_session()
        )
        self._metrics = OTLPMetricExporter(
            f"{base}/v1/metrics", headers=headers, timeout=settings.timeout_s, compression=Compression.Gzip, session=_session()
        )

    def spans(self, packets: list[bytes]) -> bool:
        made = [span(decode(packet), self._resource) for packet in packets]
        return self._spans.export(made) is SpanExportResult.SUCCESS

    def figures(self, measured: list[Measured]) -> bool:
        told = figures(measured, self._resource, started_ns=self._started_ns, now_ns=time.time_ns())
        return self._metrics.export(told) is MetricExportResult.SUCCESS

    def close(self) -> None:
        self._spans.shutdown()  # type: ignore[no-untyped-call]  # the SDK leaves it so
        self._metrics.shutdown()


def _session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False  # HTTP_PROXY and ~/.netrc are somebody else's
    made.max_redirects = 0  # the credentials are for this address
    return made
