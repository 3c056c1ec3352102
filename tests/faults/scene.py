"""A proxy on real sockets in front of the stage, with virtual time, and callers that compare every answer with the truth."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from harness.faults.fault import UNRESOLVABLE_HOST
from harness.faults.play.stage import Stage
from harness.faults.schedule import Phase
from harness.faults.semantic.layer import Layer
from harness.faults.semantic.service import build_faulty
from proxy.answer.request import UpstreamName
from proxy.config.settings import Breaker, Policy, Settings, Upstream
from reference.service.app import WORLD
from reference.service.project.project import load_catalogue
from tests.wire.proxy_line import house
from tests.wire.proxy_line.house import ALL, NEW_ID, NOW, TOKEN, House, Proxy, Reply, send

MORE = [{"id": 100 + n, "key": f"more-{n}", "active": True, "version": 1, "filters": ALL} for n in range(6)]
DOCUMENT: dict[str, Any] = {**house.DOCUMENT, "flags": [*house.DOCUMENT["flags"], *MORE]}
"""So many flags that the loss of half of them is suspect."""
USERS = tuple(f"user-{n}" for n in range(6))
BREAKER = Breaker(consecutive=5, minimum_calls=20)
NORMAL_AGAIN_S = 30
PATIENT, HASTY = Policy(), Policy(deadline_s=0.4, exchange_s=0.4)
"""Hasty: the deadline against which faults of seconds are played, so that the outage is short and its shape the same."""
DEFINITIONS = f"/flags/definitions?token={TOKEN}"
KEY = (("Authorization", "Bearer phx_holdfast_sample"),)
FORBIDDEN = frozenset({502, 504})


@dataclass
class Scene:
    """One proxy, one stage; `calm` answers are `truth`."""

    seed: int = 1
    house: House = field(default_factory=House)
    truth: dict[str, Reply] = field(default_factory=dict)
    stage: Stage = field(init=False)
    proxy: Proxy = field(init=False)

    async def __aenter__(self) -> Self:
        layer = Layer(seed=self.seed)
        catalogue = load_catalogue(json.dumps(DOCUMENT).encode())
        self.app = build_faulty(catalogue, layer, clock=lambda: NOW, new_id=lambda: NEW_ID)
        self.stage = Stage(self.app, layer, seed=self.seed)
        async with AsyncExitStack() as undoing:  # a proxy that cannot start must not leave the stage behind
            undoing.push_async_callback(self.house.stack.aclose)
            self.house.stack.push_async_callback(self.stage.close)
            await self.stage.start()
            self.proxy = await self.another_proxy()
            undoing.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.house.stack.aclose()

    async def another_proxy(self) -> Proxy:
        """Start a proxy that remembers nothing."""
        return await self.house.proxy(self.stage.port, breaker=BREAKER)

    def redefine(self, **changes: Any) -> None:
        """Change the true definitions."""
        self.app[WORLD].catalogue = load_catalogue(json.dumps(DOCUMENT | changes).encode())

    async def warm(self) -> None:
        """Ask everybody's question once while nothing is wrong; the proxy's answer is the service's own."""
        for user in USERS:
            self.truth[user] = await self.ask(user)
            assert self.truth[user].essence == (await self.direct(user)).essence
        self.stage.forget()

    async def put_on(self, phase: Phase, *, is_hasty: bool, proxy: Proxy | None = None) -> None:
        """Begin a fault, 42 virtual seconds after what came before."""
        self.house.clock.advance(42)
        host = "127.0.0.1" if phase.is_resolvable else UNRESOLVABLE_HOST
        self.configure(proxy or self.proxy, HASTY if is_hasty else PATIENT, host)
        await self.stage.put_on(phase)

    async def end(self, proxy: Proxy | None = None) -> None:
        """End the fault."""
        await self.stage.calm()
        self.configure(proxy or self.proxy, PATIENT)

    def configure(self, proxy: Proxy, policy: Policy, host: str = "127.0.0.1") -> None:
        upstreams = {"default": Upstream(url=f"http://{host}:{self.stage.port}")}
        proxy.line.reconfigure(Settings(upstreams=upstreams, breaker=BREAKER, policy=policy))

    async def ask(self, user: str, proxy: Proxy | None = None) -> Reply:
        """Ask the proxy; it never answers with what makes SDKs ask again."""
        reply = await send((proxy or self.proxy).port, {"token": TOKEN, "distinct_id": user})
        assert reply.status not in FORBIDDEN
        return reply

    async def direct(self, user: str) -> Reply:
        """Ask the service itself, faults and all."""
        return await send(self.stage.port, {"token": TOKEN, "distinct_id": user})

    async def recovered(self, user: str, proxy: Proxy | None = None) -> Reply:
        """Return an answer half a minute after the end of a fault, when all is to be normal; till then ask once a second."""
        gate = (proxy or self.proxy).line.origins[UpstreamName("default")].gate
        for _ in range(NORMAL_AGAIN_S):
            self.house.clock.advance(1)
            reply = await self.ask(user, proxy)
        assert gate.admitted_ratio == 1, "it is closed, and past its ramp"
        return reply

    def is_live(self, reply: Reply, user: str) -> bool:
        """It is the true answer, and nothing is said to have gone wrong."""
        return reply.essence == self.truth[user].essence and "Proxy-Status" not in reply.headers

    def assert_remembered(self, reply: Reply, user: str, *troubles: str) -> None:
        """It is the last good answer, and says so: marked, stale, aged, with the reason."""
        assert reply.status == 200
        assert reply.json() == self.truth[user].json() | {"errorsWhileComputingFlags": True}
        assert reply.cache.endswith("; detail=stale")
        assert "ttl=-" in reply.cache or "ttl=0" in reply.cache
        assert reply.headers["Age"].isdecimal()
        assert said(reply) in troubles


def said(reply: Reply) -> str:
    """Return the reason in `Proxy-Status`; "" when there is none."""
    return reply.headers.get("Proxy-Status", "").partition('details="')[2].rstrip('"')


async def definitions(port: int) -> Reply:
    """Fetch definitions as an SDK does."""
    return await send(port, method="GET", target=DEFINITIONS, headers=KEY)
