"""Fixtures of the telemetry lane."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire.process.support.upstream import Upstream


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream
