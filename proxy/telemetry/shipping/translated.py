"""Our spans and figures as the SDK's own, for its exporters to encode. Imported only where something is pushed (20 MB)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from proxy.telemetry.metrics.instrument import Kind
from proxy.telemetry.metrics.snapshot import Measured
from proxy.telemetry.traces.span import CLIENT, Span
from proxy.version import VERSION

SCOPE: Final = InstrumentationScope("holdfast", VERSION)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_TOTAL: Final = AggregationTemporality.CUMULATIVE


def resource_of(service_name: str, instance: str) -> Resource:
    """Return who speaks: the service, and which instance of it (not which process: figures are the whole instance's)."""
    return Resource({"service.name": service_name, "service.instance.id": instance, "service.version": VERSION})


def span(made: Span, resource: Resource) -> ReadableSpan:
    """Return a span as the SDK has it."""
    state = TraceState.from_header([made.state]) if made.state else TraceState()
    own = SpanContext(int(made.trace_id, 16), int(made.span_id, 16), is_remote=False, trace_flags=_SAMPLED, trace_state=state)
    parent = None
    if made.parent_id:
        parent = SpanContext(own.trace_id, int(made.parent_id, 16), is_remote=made.is_remote, trace_flags=_SAMPLED)
    return ReadableSpan(
        name=made.name,
        context=own,
        parent=parent,
        resource=resource,
        attributes=made.attributes,
        links=[Link(_context(link.trace_id, link.span_id)) for link in made.links],
        events=[Event(event.name, attributes=event.attributes, timestamp=event.at_ns) for event in made.events],
        kind=SpanKind.CLIENT if made.kind == CLIENT else SpanKind.SERVER,
        status=Status(StatusCode.ERROR if made.is_error else StatusCode.UNSET),
        start_time=made.start_ns,
        end_time=made.end_ns,
        instrumentation_scope=SCOPE,
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)


def figures(measured: Iterable[Measured], resource: Resource, *, started_ns: int, now_ns: int) -> MetricsData:
    """Return a snapshot as the SDK has it. `started_ns`: since when totals are counted."""
    times = (started_ns, now_ns)
    metrics = [
        Metric(each.instrument.name, each.instrument.says, each.instrument.unit, _data(each, times)) for each in measured
    ]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(SCOPE, metrics, "")], "")])


def _data(measured: Measured, times: tuple[int, int]) -> Sum | Gauge | Histogram:
    match measured.instrument.kind:
        case Kind.COUNTER:
            return Sum(_numbers(measured, times), _TOTAL, is_monotonic=True)
        case Kind.GAUGE:
            return Gauge(_numbers(measured, times))
        case Kind.HISTOGRAM:
            return Histogram(
                [_histogram(measured, labels, values, times) for labels, values in measured.series.items()], _TOTAL
            )


def _numbers(measured: Measured, times: tuple[int, int]) -> list[NumberDataPoint]:
    return [
        NumberDataPoint(_attributes(measured, labels), *times, _number(values[0])) for labels, values in measured.series.items()
    ]


def _histogram(
    measured: Measured, labels: Sequence[str], values: Sequence[float], times: tuple[int, int]
) -> HistogramDataPoint:
    nothing: Any = None  # smallest and largest are not kept; the encoder leaves them out
    counts = [int(value) for value in values[:-1]]
    return HistogramDataPoint(
        attributes=_attributes(measured, labels),
        start_time_unix_nano=times[0],
        time_unix_nano=times[1],
        count=sum(counts),
        sum=values[-1],
        bucket_counts=counts,
        explicit_bounds=measured.instrument.bounds,
        min=nothing,
        max=nothing,
    )


def _attributes(measured: Measured, labels: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in zip(measured.names, labels, strict=True) if value}


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value
