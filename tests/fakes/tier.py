"""A tier in a dictionary, that can be slow, and answers made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from proxy.answer.answer import Whole
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from proxy.lastgood.tiers.sealing import Seals

SECRET = b"one secret of ours"


class FakeTier:
    def __init__(
        self,
        name: str = "disk",
        *,
        secret: bytes = SECRET,
        previous: bytes | None = None,
        is_near: bool = True,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        self.told = report
        self.name = name
        self.is_near = is_near
        self.seals = Seals(secret, previous)
        self.held: dict[bytes, Sealed] = {}
        self.offered: list[Sealed] = []
        self.asked = 0
        self.life: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(self, place: bytes) -> bytes | None:
        self.asked += 1
        record = self.held.get(place)
        await self.gate.wait()
        return None if record is None else record.value

    def offer(self, records: Sequence[Sealed]) -> None:
        self.offered += records
        self.held |= {record.key: record for record in records}

    async def purge(self, purge: SealedPurge) -> None:
        self.held = {key: record for key, record in self.held.items() if not purge.is_meant(record)}

    def report(self) -> dict[str, Any]:
        return {"held": len(self.held)} if self.told is None else dict(self.told)

    async def start(self) -> None:
        self.life.append("started")

    async def close(self) -> None:
        self.life.append("closed")


def whole(text: str = "good") -> Whole:
    return Whole(200, "application/json", b'{"flags":{"%s":{}},"requestId":"r"}' % text.encode())
