"""A whole line without sockets: `ask` walks it as the handler does and returns what the client would get."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from proxy.answer.answer import Answer
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import ErrorAnswer
from proxy.config.settings import Policy, Settings, Upstream
from proxy.edge.wire import Arrival
from proxy.worker import Line, build

from .clock import FakeClock
from .transport import FakeTransport

HEADERS = (("User-Agent", "posthog-python/7.91.1"), ("Content-Type", "application/json"))


class FakeLine:
    def __init__(self, *, policy: Policy | None = None, transport: FakeTransport | None = None, **settings: Any) -> None:
        self.clock = settings.pop("clock", None) or FakeClock()
        self.transport = transport or FakeTransport()
        upstreams = settings.pop("upstreams", {"default": Upstream(url="http://upstream.invalid")})
        tiers = settings.pop("tiers", ())
        self.settings = Settings(upstreams=upstreams, policy=policy or Policy(), **settings)
        self.line: Line = build(
            self.settings,
            clock=self.clock,
            transport=lambda _: self.transport,
            rng=Random(1),
            new_id=lambda: "made-here",
            tiers=tiers,
        )

    def decode(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        target: str = "/flags/?v=2",
        headers: Sequence[tuple[str, str]] = HEADERS,
        peer: str = "203.0.113.9",
        method: str = "POST",
    ) -> FlagsRequest | ErrorAnswer:
        flags = self.line._flags
        raw = tuple((name.encode(), value.encode()) for name, value in headers)
        seen = SimpleNamespace(raw_headers=raw, headers=CIMultiDictProxy(CIMultiDict(headers)), remote=peer)
        path, _, query = target.partition("?")
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return flags._decoder.decode(Arrival(method, target, path, query, flags._heads.of(seen), text))

    async def ask(self, body: Mapping[str, Any] | bytes, **how: Any) -> Answer:
        request = self.decode(body, **how)
        assert isinstance(request, FlagsRequest), request
        return await self.line._flags._ladder.answer(request)
