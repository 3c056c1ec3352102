"""What waits for the collector is bounded in bytes; what is pushed is counted, and giving up is quick."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.sdk.metrics.export import Histogram, Sum
from opentelemetry.trace import StatusCode

from proxy.telemetry.metrics import table
from proxy.telemetry.metrics.snapshot import Measured
from proxy.telemetry.shipping.queue import PACKET_BYTES, Queue
from proxy.telemetry.shipping.shipper import BATCH, Shipper
from proxy.telemetry.shipping.translated import figures, resource_of, span
from proxy.telemetry.traces.span import CLIENT, SERVER, Event, Span

FIGURES = [Measured(table.JOINED, (), {(): [3.0]})]


class FakeExporter:
    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.packets: list[list[bytes]] = []
        self.pushes: list[list[Measured]] = []
        self.is_closed = False

    def spans(self, packets: list[bytes]) -> bool:
        self.packets.append(packets)
        return self.takes

    def figures(self, measured: list[Measured]) -> bool:
        self.pushes.append(measured)
        return self.takes

    def close(self) -> None:
        self.is_closed = True


class Stuck(FakeExporter):
    """Takes a push and does not come back until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def spans(self, packets: list[bytes]) -> bool:
        self.closed.wait(30)
        return super().spans(packets)

    def close(self) -> None:
        super().close()
        self.closed.set()


class Notebook:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def info(self, event: str, *, signal: str = "") -> None:
        self.events.append((event, signal))

    warning = exception = info


def shipper(exporter: FakeExporter, packets: int = 0) -> tuple[Shipper, Notebook]:
    queue, book = Queue(max_bytes=1 << 20), Notebook()
    for number in range(packets):
        queue.put(b"%d" % number)
    log: Any = book
    return Shipper(lambda: exporter, queue=queue, push_s=1000, measured=lambda: FIGURES, log=log), book


def test_a_queue_holds_so_many_bytes_and_drops_what_comes_after() -> None:
    queue = Queue(max_bytes=3 * (100 + PACKET_BYTES))
    for _ in range(5):
        queue.put(b"x" * 100)
    assert (len(queue), queue.dropped, queue.bytes) == (3, 2, 3 * (100 + PACKET_BYTES))
    assert queue.take(2) == [b"x" * 100] * 2
    queue.put(b"y" * 100)
    assert queue.take(10) == [b"x" * 100, b"y" * 100]
    assert (len(queue), queue.bytes) == (0, 0)


def test_on_stop_everything_that_waits_is_pushed_in_batches_and_the_figures_last() -> None:
    exporter = FakeExporter()
    mine, _ = shipper(exporter, packets=BATCH + 1)
    mine.start()
    mine.stop(within_s=30)
    assert [len(packets) for packets in exporter.packets] == [BATCH, 1]
    assert exporter.pushes[-1] == FIGURES
    assert mine.shipped == {"exported": BATCH + 1}
    assert mine.pushes["traces", "ok"] == 2
    assert exporter.is_closed


def test_what_is_refused_is_counted_tried_once_and_told_once() -> None:
    exporter = FakeExporter(takes=False)
    mine, book = shipper(exporter, packets=2 * BATCH)
    mine.start()
    mine.stop(within_s=30)
    assert mine.shipped == {"refused": BATCH}, "the rest is left to the next time round, of which there is none"
    assert book.events == [("collector_away", "traces")]


class Odd(FakeExporter):
    """Chokes on spans once."""

    def spans(self, packets: list[bytes]) -> bool:
        if not self.packets:
            self.packets.append([])
            raise ValueError("a span that nobody expected")
        return super().spans(packets)


def test_what_nobody_expected_costs_one_push_and_not_the_thread() -> None:
    exporter = Odd()
    mine, book = shipper(exporter, packets=2)
    mine.start()
    mine.stop(within_s=30)
    assert book.events == [("push_failed", "traces")]
    assert (mine.pushes["traces", "failed"], mine.pushes["metrics", "ok"]) == (1, 1), "the figures got through all the same"


def test_an_exporter_that_cannot_be_made_is_told_and_ends_nothing_else() -> None:
    def impossible() -> FakeExporter:
        raise ImportError

    book = Notebook()
    log: Any = book
    mine = Shipper(impossible, queue=Queue(max_bytes=1), push_s=1000, measured=lambda: FIGURES, log=log)
    mine.start()
    mine.stop(within_s=30)
    assert book.events == [("exporter_unusable", "")]


def test_an_exporter_that_does_not_come_back_is_left_behind() -> None:
    exporter = Stuck()
    mine, _ = shipper(exporter, packets=1)
    mine.start()
    mine.stop(within_s=0.05)
    assert exporter.is_closed
    mine._thread.join(30)
    assert not mine._thread.is_alive()


def test_a_span_of_ours_is_the_same_in_the_sdks_words() -> None:
    resource = resource_of("holdfast", "i")
    made = Span(
        "ab" * 16, "cd" * 8, "ef" * 8, True, "vendor=1", "POST /flags", SERVER, 1, 2, True,
        {"holdfast.source": "stale"}, [Event("holdfast.rung", 1, {"holdfast.filled": True})],
    )  # fmt: skip
    found: Any = span(made, resource)
    assert f"{found.context.trace_id:032x} {found.context.span_id:016x} {found.parent.span_id:016x}" == (
        f"{'ab' * 16} {'cd' * 8} {'ef' * 8}"
    )
    assert (found.parent.is_remote, found.context.trace_state.get("vendor")) == (True, "1")
    assert (found.status.status_code, found.kind.name, found.start_time, found.end_time) == (StatusCode.ERROR, "SERVER", 1, 2)
    assert found.events[0].attributes == {"holdfast.filled": True}
    root: Any = span(Span("ab" * 16, "cd" * 8, "", False, "", "POST", CLIENT, 1, 2, False, {}), resource)
    assert (root.parent, root.kind.name, root.status.status_code) == (None, "CLIENT", StatusCode.UNSET)


def test_figures_of_ours_are_the_same_in_the_sdks_words() -> None:
    ages = [0.0] * (len(table.AGE_BOUNDS) + 2)
    ages[0], ages[-1] = 2.0, 1.5
    measured = [
        Measured(table.ANSWERS, table.ANSWERS.labels, {("shop", "stale", ""): [2.0]}),
        Measured(table.AGES, table.AGES.labels, {("shop", "stale"): ages}),
        Measured(table.LOOP_LAG, ("process",), {("worker-0",): [0.25]}),
    ]
    told = figures(measured, resource_of("holdfast", "i"), started_ns=1, now_ns=2)
    answers, histogram, lag = (metric.data for metric in told.resource_metrics[0].scope_metrics[0].metrics)
    assert isinstance(answers, Sum)
    assert answers.is_monotonic
    assert answers.data_points[0].attributes == {"project": "shop", "source": "stale"}
    assert isinstance(histogram, Histogram)
    point = histogram.data_points[0]
    assert (point.count, point.sum, point.bucket_counts[0], list(point.explicit_bounds)) == (2, 1.5, 2, list(table.AGE_BOUNDS))
    assert lag.data_points[0].value == 0.25  # type: ignore[union-attr]
