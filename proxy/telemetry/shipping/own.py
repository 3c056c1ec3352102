"""The supervisor's own spans, of the polls it makes: handed to the shipper without a detour over the workers' socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from proxy.clock import Clock
from proxy.config.settings import Settings, Telemetry
from proxy.telemetry.handing import Handing
from proxy.telemetry.metrics.collecting import Row
from proxy.telemetry.metrics.table import SPANS
from proxy.telemetry.traces.draw import Draw
from proxy.telemetry.traces.span import Span, encode
from proxy.telemetry.traces.tracer import Tracer


class Direct:
    """A post inside one process; `take` is set once there is somebody to take spans."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.take: Callable[[bytes], None] = _nobody

    def send(self, span: Span) -> None:
        self.take(encode(span))

    def close(self) -> None:
        self.take = _nobody


class OwnSpans:
    """What traces in the supervisor.

    Attributes:
        post: Where spans go.
        handing: What watches exchanges.
    """

    def __init__(self, settings: Telemetry, *, clock: Clock, rng: Random) -> None:
        self.post = Direct()
        self._draw = Draw(ratio=settings.trace_ratio, random=rng.random, clock=clock)
        self._tracer = Tracer(self._draw, self.post, clock=clock, rng=rng)
        self._is_on = settings.otlp_url is not None
        self.handing = Handing(lambda: self._tracer if self._is_on else None, clock=clock)

    def reconfigure(self, settings: Settings) -> None:
        """Trace as these settings say."""
        self._is_on = settings.telemetry.otlp_url is not None
        self._draw.ratio = settings.telemetry.trace_ratio

    def rows(self) -> list[Row]:
        """Return what is counted here."""
        return [Row(SPANS, lambda: {("passed_over",): float(self._draw.passed_over)} if self._is_on else {})]


def _nobody(_: bytes) -> None:
    """There is no shipper."""
