"""Pushes spans and figures to a collector from a thread of its own, and gives up on whatever does not get through in time.

A collector that is dead, slow or a black hole costs this thread its time and nobody else anything: what waits is bounded in
bytes, what does not fit is dropped and counted. On stop one last push is made, inside the time that is left.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.snapshot import Measured

from .queue import Queue

BATCH: Final = 256
"""Spans in one push."""
LINGER_S: Final = 1.0
"""How long a span waits for company."""
SPANS, FIGURES = "traces", "metrics"
DONE, FAILED = "ok", "failed"


class Exporter(Protocol):
    """What speaks to the collector; blocks, never longer than it was told."""

    def spans(self, packets: list[bytes]) -> bool:
        """Push spans; tell whether the collector took them."""
        ...

    def figures(self, measured: list[Measured]) -> bool:
        """Push figures; tell whether the collector took them."""
        ...

    def close(self) -> None:
        """Stop trying, at once."""
        ...


class Shipper:
    """One collector's.

    Attributes:
        queue: Spans that wait.
        pushes: How pushes ended, by signal and outcome.
        shipped: Spans by what became of them here.
    """

    def __init__(
        self,
        exporter: Callable[[], Exporter],
        *,
        queue: Queue,
        push_s: float,
        measured: Callable[[], list[Measured]],
        log: Logger,
    ) -> None:
        """`exporter` is made in the thread: importing what it needs takes a while."""
        self.queue = queue
        self.pushes: Counter[tuple[str, str]] = Counter()
        self.shipped: Counter[str] = Counter()
        self._make = exporter
        self._push_s = push_s
        self._measured = measured
        self._log = log
        self._is_over = threading.Event()
        self._exporter: Exporter | None = None
        self._was_refused = False
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, within_s: float) -> None:
        """Push what there is and end; after `within_s` seconds it is given up. Blocks for so long."""
        self._is_over.set()
        self._thread.join(within_s)
        if self._exporter is not None:
            self._exporter.close()

    def _run(self) -> None:
        try:
            exporter = self._exporter = self._make()
        except Exception:  # noqa: BLE001 - a library that is not there, or refuses what it is given: nothing will be pushed
            self._log.exception("exporter_unusable")
            return
        due = time.monotonic()
        while not self._is_over.wait(LINGER_S):
            self._guarded(SPANS, self._push_spans, exporter)
            if time.monotonic() >= due:
                due = time.monotonic() + self._push_s
                self._guarded(FIGURES, self._push_figures, exporter)
        self._guarded(SPANS, self._push_spans, exporter)
        self._guarded(FIGURES, self._push_figures, exporter)

    def _guarded(self, signal: str, push: Callable[[Exporter], None], exporter: Exporter) -> None:
        """Push. What nobody thought of costs one push, not the thread: that would end all pushing without a word."""
        try:
            push(exporter)
        except Exception:  # noqa: BLE001 - a figure, a span or an answer of the collector's that nobody expected
            self.pushes[signal, FAILED] += 1
            self._log.exception("push_failed", signal=signal)

    def _push_spans(self, exporter: Exporter) -> None:
        while packets := self.queue.take(BATCH):
            is_taken = exporter.spans(packets)
            self.shipped["exported" if is_taken else "refused"] += len(packets)
            self._note(SPANS, is_taken=is_taken)
            if not is_taken:
                return  # one try each time round: the rest waits, or is dropped when there is more than it may be

    def _push_figures(self, exporter: Exporter) -> None:
        self._note(FIGURES, is_taken=exporter.figures(self._measured()))

    def _note(self, signal: str, *, is_taken: bool) -> None:
        self.pushes[signal, DONE if is_taken else FAILED] += 1
        if is_taken is self._was_refused:
            self._was_refused = not is_taken
            (self._log.info if is_taken else self._log.warning)(
                "collector_back" if is_taken else "collector_away", signal=signal
            )
