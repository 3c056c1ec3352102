"""The programs as they are started: a faulty service, its control endpoint, and `flags-proxy serve` in front."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Self

from tests.wire.process.support.instance import Instance
from tests.wire.proxy_line.house import Reply, send

TOKEN = "phc_holdfast_sample"
SOON = {"BREAKER__OPEN_S": "0.05", "BREAKER__OPEN_MAX_S": "0.1"}


class Faulty:
    """`python -m harness.faults serve`, steered over its control endpoint."""

    async def __aenter__(self) -> Self:
        command = (sys.executable, "-m", "harness.faults", "serve", "--seed", "3")
        self._process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        self.url = await self._address("listening on ")
        self._control = int((await self._address("control on ")).rpartition(":")[2])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        assert await self._process.wait() == 0

    async def control(self, method: str, target: str, body: Any = None) -> Reply:
        return await send(self._control, b"" if body is None else body, method=method, target=target)

    async def _address(self, label: str) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        assert line.startswith(label)
        return line.removeprefix(label)


async def ask(port: int, user: str) -> Reply:
    return await send(port, {"token": TOKEN, "distinct_id": user})


def settled(reply: Reply) -> Any:
    """An answer without what differs in every answer."""
    return {name: value for name, value in reply.json().items() if name not in {"requestId", "evaluatedAt"}}


async def test_a_scenario_played_on_the_real_programs() -> None:
    async with Faulty() as faulty, Instance(UPSTREAMS__DEFAULT__URL=faulty.url, **SOON) as proxy:
        await proxy.ready(1)
        before = await ask(proxy.port, "user-1")
        await faulty.control("DELETE", "/seen")
        told = await faulty.control("PUT", "/scenario", {"id": "rate-limit-flood", "factor": 0.001})
        assert told.json()["scenario"] == "rate-limit-flood"
        during = [await ask(proxy.port, "user-1") for _ in range(60)]
        stale = [reply for reply in during if "detail=stale" in reply.cache]
        assert {reply.status for reply in during} == {200}
        assert all(settled(reply) == settled(before) | {"errorsWhileComputingFlags": True} for reply in stale)
        assert len(stale) > 40
        seen = (await faulty.control("GET", "/")).json()["seen"]
        assert seen["played"]["say"] >= 5
        assert seen["flags"] < len(during)
        await faulty.control("DELETE", "/phase")
        await recovered(proxy.port)
        assert settled(await ask(proxy.port, "user-1")) == settled(before)


async def recovered(port: int) -> None:
    """Ask until the answer is the service's own; the lane's time limit is the patience."""
    while "Proxy-Status" in (await ask(port, "user-1")).headers:  # noqa: ASYNC110 - a condition of another process
        await asyncio.sleep(0.01)


async def test_a_proxy_started_in_an_outage_serves_and_recovers() -> None:
    async with Faulty() as faulty:
        await faulty.control("PUT", "/phase", {"duration_s": 60, "relay": {"how": "refuse"}})
        async with Instance(UPSTREAMS__DEFAULT__URL=faulty.url, **SOON) as proxy:
            await proxy.ready(1)
            refused = await ask(proxy.port, "user-1")
            assert (refused.status, refused.cache) == (503, "holdfast; fwd=miss; detail=none")
            await faulty.control("DELETE", "/phase")
            await recovered(proxy.port)
            assert (await ask(proxy.port, "user-2")).status == 200


async def test_the_control_endpoint_refuses_what_it_cannot_play() -> None:
    async with Faulty() as faulty:
        for target, body in (
            ("/phase", {"duration_s": -1}),
            ("/phase", {"duration_s": 1, "rules": [{"fault": {"kind": "earthquake"}}]}),
            ("/phase", {"duration_s": 1, "is_resolvable": False}),
            ("/scenario", {"id": "dns-failure"}),
            ("/scenario", {"id": "no-such"}),
        ):
            assert (await faulty.control("PUT", target, body)).status == 400
        assert (await faulty.control("GET", "/")).json()["scenario"] is None
