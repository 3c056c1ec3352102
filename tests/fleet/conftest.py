"""Real Redis servers for the tests of this lane; without one they are skipped with the reason, which on CI is a failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.support.server import Server
from tools.sdks.install import required_here
from tools.sdks.unavailable import Unavailable
from tools.servers.redis import Installed, ensure


@pytest.fixture(scope="session")
def installed() -> Installed:
    try:
        return ensure()
    except Unavailable as reason:
        if required_here():
            pytest.fail(f"no Redis on CI: {reason}")
        pytest.skip(str(reason))


@pytest.fixture
def redis(installed: Installed) -> Iterator[Server]:
    with Server(installed) as server:
        yield server
