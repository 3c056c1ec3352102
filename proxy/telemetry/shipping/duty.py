"""The supervisor's duty to push: takes spans from the workers, and keeps one shipper that does what the settings say now."""

from __future__ import annotations

import asyncio
import hashlib
import platform
from collections.abc import Callable, Mapping
from typing import Final

from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Settings, Telemetry
from proxy.telemetry.instance import Instance
from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.collecting import Row, Values
from proxy.telemetry.metrics.table import PUSHES, SPANS
from proxy.telemetry.traces.post import socket_path

from .queue import Queue
from .receiver import Receiver
from .shipper import Exporter, Shipper

FLUSH_S: Final = 1.5
"""For the last push on stop: inside the margin that the launcher gives beyond the drain time."""
INSTANCE_DIGITS: Final = 16


class Shipping:
    """One instance's pushing."""

    def __init__(
        self, settings: Telemetry, *, runtime: str, instance: Instance, environ: Mapping[str, str], log: Logger
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._environ = environ
        self._log = log
        self._changed = asyncio.Event()
        self._shipper: Shipper | None = None
        self._receiver = Receiver(socket_path(runtime), self.take)

    def reconfigure(self, settings: Settings) -> None:
        """Push as these settings say."""
        if settings.telemetry != self._settings:
            self._settings = settings.telemetry
            self._changed.set()

    def rows(self) -> list[Row]:
        """Return what is counted here."""
        return [Row(SPANS, self._spans), Row(PUSHES, self._pushes)]

    async def run(self) -> None:
        """Receive and push until cancelled; then push what there is, within `FLUSH_S`."""
        receiving = asyncio.create_task(self._receiver.run())
        try:
            while True:
                self._changed.clear()
                before, self._shipper = self._shipper, self._made(self._settings)
                await _retired(before)
                await self._changed.wait()
        finally:
            receiving.cancel()
            await asyncio.wait([receiving])
            await _retired(self._shipper)

    def take(self, packet: bytes) -> None:
        """Take an encoded span, if somebody pushes spans now."""
        if self._shipper is not None:
            self._shipper.queue.put(packet)

    def _made(self, settings: Telemetry) -> Shipper | None:
        if settings.otlp_url is None:
            return None
        shipper = Shipper(
            self._exporter(settings),
            queue=Queue(max_bytes=settings.queue_bytes),
            push_s=settings.push_s,
            measured=self._instance.measured,
            log=self._log,
        )
        shipper.start()
        return shipper

    def _exporter(self, settings: Telemetry) -> Callable[[], Exporter]:
        authorization = self._authorization(settings)
        started = self._instance.started_at()
        name = hashlib.sha256(f"{platform.node()} {started}".encode()).hexdigest()[:INSTANCE_DIGITS]

        def make() -> Exporter:
            from .otlp import Otlp  # noqa: PLC0415 - 20 MB and a second, for those who push, in their thread

            return Otlp(settings, authorization=authorization, instance=name, started_ns=int(started * 1e9))

        return make

    def _authorization(self, settings: Telemetry) -> Secret | None:
        if settings.authorization is None:
            return None
        found = read_secret(settings.authorization, self._environ)
        if isinstance(found, Secret):
            return found
        self._log.error("otlp_authorization_unreadable", reason=found)
        return None

    def _spans(self) -> Values:
        if self._shipper is None:
            return {}
        return {
            ("exported",): float(self._shipper.shipped["exported"]),
            ("refused",): float(self._shipper.shipped["refused"]),
            ("dropped",): float(self._shipper.queue.dropped),
        }

    def _pushes(self) -> Values:
        return {} if self._shipper is None else {key: float(count) for key, count in self._shipper.pushes.items()}


async def _retired(shipper: Shipper | None) -> None:
    if shipper is not None:
        await asyncio.to_thread(shipper.stop, within_s=FLUSH_S)
