"""A fault that is over when so many have met it."""

from __future__ import annotations

import json

from aiohttp.test_utils import TestClient, TestServer

from harness.faults.fault import Rule, Say
from harness.faults.semantic.layer import Layer
from harness.faults.semantic.service import build_faulty
from harness.matrix.world import TOKEN, document, person
from reference.service.project.project import load_catalogue

QUESTION = json.dumps({"token": TOKEN, **person("somebody")})
ONCE = Rule(fault=Say(status=502), first=1)


async def test_only_the_first_requests_meet_it_until_it_is_put_on_again() -> None:
    layer = Layer()
    async with TestClient(TestServer(build_faulty(load_catalogue(document(0)), layer))) as client:

        async def statuses() -> list[int]:
            return [(await client.post("/flags/?v=2", data=QUESTION)).status for _ in range(3)]

        layer.switch((ONCE,))
        assert await statuses() == [502, 200, 200]
        layer.switch((ONCE,))
        assert await statuses() == [502, 200, 200]
        assert layer.played == {"say": 2}
