"""Debian's Prometheus scrapes two workers under load: its totals are the callers', and no counter ever goes backwards.

For moments in the ordinary lane, for a minute in the slow one (`-k a_minute`).
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proxy.telemetry.metrics.instrument import Kind
from proxy.telemetry.metrics.table import TABLE
from tests.wire.process.support.callers import Callers
from tests.wire.process.support.instance import PATIENCE_S, Instance, until
from tests.wire.process.support.upstream import Upstream
from tools.sdks.install import required_here
from tools.sdks.unavailable import Unavailable
from tools.servers.prometheus import Installed, find

MOMENTS_S, MINUTE_S = 5.0, 60.0
ANSWERS = "sum(holdfast_answers_total)"


@pytest.fixture
def installed() -> Installed:
    try:
        return find()
    except Unavailable as reason:
        if required_here():
            raise
        pytest.skip(str(reason))


@asynccontextmanager
async def prometheus(installed: Installed, folder: Path, target: str) -> AsyncIterator[Any]:
    """Run a server that scrapes the target every second; yield what asks it a question."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: holdfast, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={place}"]
    process = await asyncio.create_subprocess_exec(
        installed.server, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )

    async def ask(query: str) -> list[float]:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"http://{place}/api/v1/query", params={"query": query}) as answer:
                    found = await answer.json()
            except aiohttp.ClientError:
                return []
        return [float(each["value"][1]) for each in found.get("data", {}).get("result", [])]

    try:
        yield ask
    finally:
        process.terminate()
        await process.wait()


async def becomes(ask: Any, query: str, is_it: Any) -> list[float]:
    """Ask until the answer is the one that is looked for."""
    found: list[float] = []
    for _ in range(int(PATIENCE_S / 0.1)):
        found = await ask(query)
        if is_it(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{query} stayed at {found}")


async def resets(ask: Any) -> set[float]:
    """How often each counter and bucket went backwards in the eyes of `rate()`; asked family by family."""
    counters = [each.prometheus for each in TABLE if each.kind is Kind.COUNTER]
    buckets = [f"{each.prometheus}_bucket" for each in TABLE if each.kind is Kind.HISTOGRAM]
    return {count for name in (*counters, *buckets) for count in await ask(f"resets({name}[1h])")}


@pytest.mark.parametrize("seconds", [MOMENTS_S, MINUTE_S], ids=["moments", "a_minute"])
async def test_totals_over_two_workers_are_the_callers_exactly(
    seconds: float, installed: Installed, tmp_path: Path, upstream: Upstream
) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)
        async with prometheus(installed, tmp_path, instance.admin.removeprefix("http://")) as ask:
            async with Callers(instance.port) as callers:
                await asyncio.sleep(seconds)
            assert callers.failed == []
            await becomes(ask, ANSWERS, lambda found: found == [float(callers.answered)])
            assert await ask("sum(http_server_request_duration_seconds_count)") == [float(callers.answered)]
            assert await ask("sum(holdfast_exchanges_total)") == [float(upstream.calls)]
            assert await resets(ask) == {0.0}


@pytest.mark.parametrize("seconds", [MOMENTS_S, MINUTE_S], ids=["moments", "a_minute"])
async def test_a_worker_that_is_killed_under_load_resets_nothing(
    seconds: float, installed: Installed, tmp_path: Path, upstream: Upstream
) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)
        async with prometheus(installed, tmp_path, instance.admin.removeprefix("http://")) as ask:
            async with Callers(instance.port) as callers:
                await asyncio.sleep(seconds / 2)
                await becomes(ask, ANSWERS, lambda found: found and found[0] > 0)
                dead = instance.signal(signal.SIGKILL, "worker-0")
                await until(lambda: instance.roster().get("worker-0") not in {dead, None}, "a successor")
                await asyncio.sleep(seconds / 2)
            await instance.ready(2)
            # An answer counted and not received was cut off by the kill, and its caller knows.
            least, most = callers.answered, callers.answered + len(callers.failed)
            (found,) = await becomes(ask, ANSWERS, lambda found: found and found[0] >= least)
            assert least <= found <= most
            assert await resets(ask) == {0.0}


async def test_promtool_has_nothing_to_say_about_the_exposition(installed: Installed, upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=1, ADMIN__PORT=0) as instance:
        await instance.ready(1)
        async with Callers(instance.port) as callers:
            await callers.more(20)
        async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/metrics") as answer:
            text = await answer.text()
    done = await asyncio.to_thread(
        subprocess.run, [installed.promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
