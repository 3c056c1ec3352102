"""A judge in virtual time, and answers for it to weigh as the ladder has them weighed: what is believed is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from proxy.answer.answer import Whole
from proxy.answer.judgement.judge import Judge, Verdict
from proxy.answer.shape import is_worth_remembering, read_answer
from proxy.config.settings import Policy
from proxy.definitions.held import Held, HeldSet
from proxy.lastgood.memory import Memory

from .clock import FakeClock
from .definitions import Lines, kept
from .records import record
from .requests import PROJECT, flags_request


def answer(flags: Iterable[str], *, value: bool = True, version: int = 5, **fields: Any) -> Whole:
    """An error-free v2 answer."""
    body = {"errorsWhileComputingFlags": False, "flags": {key: record(key, value, version=version) for key in flags}, **fields}
    return Whole(200, "application/json", json.dumps(body).encode())


class Court:
    def __init__(self, **policy: Any) -> None:
        self.clock = FakeClock()
        self.lines = Lines()
        self.judge = Judge(clock=self.clock, log=self.lines.log)
        self.memory = Memory(max_bytes=1 << 24, clock=self.clock)
        self.policy = Policy(**policy)
        self.held = Held(clock=self.clock)

    async def hold(self, *flags: dict[str, Any], generation: int) -> None:
        """Put definitions in force."""
        assert await self.held.replace(kept(list(flags), project=PROJECT, generation=generation)) is None

    @property
    def definitions(self) -> HeldSet | None:
        return self.held.get(PROJECT)

    def say(self, user: str, whole: Whole | Iterable[str]) -> Verdict:
        """Have upstream answer a user's question."""
        told = whole if isinstance(whole, Whole) else answer(whole)
        request = flags_request(user, policy=self.policy)
        reading = read_answer(told)
        assert reading is not None
        assert is_worth_remembering(told, reading)
        assert request.key is not None
        verdict = self.judge.weigh(request, reading, self.memory.get(request.key), self.definitions)
        if not verdict.is_held:
            self.memory.remember(request.key, told, project=PROJECT, policy=self.policy, set_mark=verdict.set_mark)
        return verdict
