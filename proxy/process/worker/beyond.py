"""A worker's tiers beyond its memory, made from settings; and how what it remembers reaches the one writer, the supervisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from proxy.config.settings import Settings
from proxy.lastgood.disk.place import folder_of, seals_of
from proxy.lastgood.disk.reader import Reader
from proxy.lastgood.disk.tier import DiskTier, Send
from proxy.lastgood.tiers.record import Sealed
from proxy.process.control.messages import Body, Done, Remember
from proxy.telemetry.logs import Logger

CALL_S: Final = 5.0


class Calls(Protocol):
    """The line to the supervisor."""

    async def call(self, body: Body, *, timeout_s: float) -> Done:
        """Say something and return the reply; trouble is a refusal."""
        ...


def disk_tier(settings: Settings, *, runtime: str, environ: Mapping[str, str], log: Logger) -> DiskTier | None:
    """Return the disk, as a tier; None where it is switched off, or where no secret can be had."""
    store = settings.store
    if not store.enabled:
        return None
    folder = folder_of(store, runtime)
    seals = seals_of(store, folder, environ)
    if isinstance(seals, str):
        log.error("store_off", reason=seals, remedy="nothing is remembered on disk until a restart finds a secret")
        return None
    return DiskTier(seals, Reader(folder, timeout_s=store.read_timeout_s))


def to_supervisor(link: Calls) -> Send:
    """Return what hands a batch to the supervisor and tells whether it was taken."""

    async def send(records: Sequence[Sealed]) -> bool:
        done = await link.call(Remember(tuple(records)), timeout_s=CALL_S)
        return not done.refusal

    return send
