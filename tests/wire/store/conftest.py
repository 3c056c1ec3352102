"""Fixtures of the store lane. `--kills`: how often something is killed while writing; 200 in the slow lane."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire.store.upstream import Telling

KILLS = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=KILLS)


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills", KILLS))


@pytest.fixture
async def upstream() -> AsyncIterator[Telling]:
    async with Telling() as upstream:
        yield upstream
