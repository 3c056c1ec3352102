"""Memory stays within its budget: a million keys through the cache, a hundred thousand users over HTTP, for minutes.

`HOLDFAST_SOAK_MINUTES` says how long the HTTP part takes at least (default 6); every user is asked whatever it says.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.bench.children import ROOT, Children
from tests.soak.callers import ask
from tests.soak.resident import ALLOWED_BYTES, BUDGET_BYTES, SLOPE_BYTES_PER_MIN, Watched, resident_bytes
from tests.wire.process.support.instance import Instance

MINUTES = float(os.environ.get("HOLDFAST_SOAK_MINUTES", "6"))
KEYS = 1_000_000
USERS = 100_000
WARM = 500
"""Questions before idle is measured: code, pools and buffers are there, and next to nothing is remembered."""


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def assert_bounded(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    say(capsys, watched.told())
    assert watched.peak_bytes <= ALLOWED_BYTES
    assert watched.slope_bytes_per_min() < SLOPE_BYTES_PER_MIN


@pytest.mark.timeout(600)
def test_a_million_keys_stay_within_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    command = (sys.executable, "-m", "tests.soak.keys", str(KEYS), str(min(60.0, 60 * MINUTES)))
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    first, *samples, last = [json.loads(line) for line in said.splitlines()]
    watched = Watched(first["idle"], [(line["at_s"], line["resident"] - first["idle"]) for line in samples])
    assert last["keys"] >= KEYS
    assert 0.9 * BUDGET_BYTES < last["bytes"] <= BUDGET_BYTES
    assert_bounded(watched, capsys)


@pytest.mark.timeout(60 * MINUTES + 900)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc, which only Linux has")
async def test_a_hundred_thousand_users_stay_within_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    rng = Random(3)
    users = itertools.chain(range(USERS), iter(lambda: rng.randrange(USERS), -1))
    with Children() as children:
        origin = children.start(sys.executable, "-m", "tests.soak.origin", core=None)
        settings = {"MEMORY__MAX_BYTES": BUDGET_BYTES, "UPSTREAMS__DEFAULT__URL": f"http://127.0.0.1:{origin.port}"}
        async with Instance(**settings) as instance:
            await instance.ready(1)
            worker = instance.roster()["worker-0"]
            warm = await ask(instance.port, itertools.count(USERS), until=lambda n: n >= WARM, every_s=60, look=lambda: None)
            watched, started = Watched(resident_bytes(worker)), time.monotonic()

            def look() -> None:
                watched.add(time.monotonic() - started, resident_bytes(worker))

            def is_over(asked: int) -> bool:
                return asked >= USERS and time.monotonic() - started >= 60 * MINUTES

            asked = await ask(instance.port, users, until=is_over, every_s=0.5, look=look)
            look()
    say(capsys, f"{asked.requests} answers, {dict(asked.failures) or 'none of them a failure'}")
    assert not warm.failures
    assert asked.failures.total() <= asked.requests / 1_000, "a busy machine misses a deadline now and then, not more"
    assert_bounded(watched, capsys)
