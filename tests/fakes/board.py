"""A Redis that knows the three scripts of the fleet and one read, on an injected clock; tests/fleet holds it to a real one."""

from __future__ import annotations

from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from proxy.definitions.upkeep.fleet.scripts import POST, REST, TURN

from .clock import FakeClock


class FakeBoard:
    """`is_up` False: every command fails."""

    def __init__(self, clock: FakeClock) -> None:
        self.is_up = True
        self.clock = clock
        self.hashes: dict[str, dict[str, bytes]] = {}
        self._texts: dict[str, tuple[bytes, float]] = {}

    def flush(self) -> None:
        self.hashes.clear()
        self._texts.clear()

    def holder(self, name: str) -> bytes | None:
        value, until = self._texts.get(name, (None, 0.0))
        return value if self.clock.now < until else None

    async def ping(self) -> bool:
        self._check()
        return True

    async def aclose(self) -> None:
        """Nothing is open."""

    async def hget(self, name: str, field: str) -> bytes | None:
        self._check()
        return self.hashes.get(name, {}).get(field)

    async def eval(self, script: str, count: int, lease: str, board: str, *arguments: Any) -> Any:
        self._check()
        assert count == 2
        texts = [each if isinstance(each, bytes) else str(each).encode() for each in arguments]
        return {TURN: self._turn, POST: self._post, REST: self._rest}[script](lease, board, *texts)

    def _turn(self, lease: str, board: str, me: bytes, lasts_ms: bytes, may_take: bytes, stamp: bytes, _: bytes) -> list[Any]:
        holder = self.holder(lease)
        is_mine = may_take == b"1" and holder in {None, me}
        if is_mine:
            self._put(lease, me, lasts_ms)
        if is_mine and stamp:
            self.hashes.setdefault(board, {})["tried"] = stamp
        held = self.hashes.get(board, {})
        head = [held.get("generation", b"0"), *(held.get(name, b"") for name in ("digest", "confirmed", "tried"))]
        return [int(is_mine), *head]

    def _post(self, lease: str, board: str, me: bytes, *said: bytes) -> bytes:
        decided, generation, digest, content, stamp, _ = said
        if decided != b"1" and self.holder(lease) != me:
            return b"not_leader"
        held = self.hashes.get(board, {})
        if not content and held.get("digest") != digest:
            return b"unknown"
        if content:
            there = int(held.get("generation", b"0"))
            if there > int(generation) or (there == int(generation) and held.get("digest") != digest):
                return b"outdated"
            held = {**held, "generation": generation, "digest": digest, "content": content}
        self.hashes[board] = {**held, "confirmed": stamp} if stamp else held
        return b"done"

    def _rest(self, lease: str, _: str, me: bytes, lasts_ms: bytes) -> int:
        if self.holder(lease) != me:
            return 0
        self._put(lease, b"resting", lasts_ms)
        return 1

    def _put(self, name: str, value: bytes, lasts_ms: bytes) -> None:
        self._texts[name] = (value, self.clock.now + int(lasts_ms) / 1000)

    def _check(self) -> None:
        if not self.is_up:
            raise RedisConnectionError("down")
