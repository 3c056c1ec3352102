"""`/metrics` of a real instance: exact with several workers, exact through a death, and in step with what callers counted."""

from __future__ import annotations

import asyncio
import signal

import aiohttp

from tests.telemetry.scraping import Series, scrape, total
from tests.wire.process.support.callers import Callers, ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream

ANSWERS = "holdfast_answers_total"


def counters(series: Series) -> Series:
    return {place: value for place, value in series.items() if place[0].endswith(("_total", "_bucket", "_count"))}


def backwards(before: Series, after: Series) -> list[object]:
    return [place for place, value in counters(before).items() if after.get(place, 0.0) < value]


async def test_the_total_over_two_workers_is_exactly_what_callers_were_answered(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(400)
        series = await scrape(instance)
        assert callers.failed == []
        assert total(series, ANSWERS) == callers.answered
        assert total(series, "http_server_request_duration_seconds_count") == callers.answered
        assert total(series, "holdfast_exchanges_total") == upstream.calls


async def test_a_killed_worker_takes_no_count_with_it_and_none_goes_backwards(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(200)
            before = await scrape(instance)
            dead = instance.signal(signal.SIGKILL, "worker-0")
            await until(lambda: instance.roster().get("worker-0") not in {dead, None}, "a successor")
            await callers.more(200)
            during = await scrape(instance)
        await instance.ready(2)
        after = await scrape(instance)
        assert backwards(before, during) == backwards(during, after) == []
        # What was counted and not received had been answered when its worker was killed under it.
        assert callers.answered <= total(after, ANSWERS) <= callers.answered + len(callers.failed)


async def test_a_killed_supervisor_takes_no_total_with_it(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=1, ADMIN__PORT=0) as instance:
        await instance.ready(1)
        await ask(instance.port)
        before = await scrape(instance)
        dead = instance.signal(signal.SIGKILL, "supervisor")
        await until(lambda: instance.roster().get("supervisor") not in {dead, None}, "a successor")
        await instance.ready(1)
        await ask(instance.port)
        after = await scrape(instance)
        assert backwards(before, after) == []
        assert total(after, ANSWERS) == 2


async def test_what_is_not_a_flag_request_and_what_is_refused_are_counted_apart(upstream: Upstream) -> None:
    settings = {"UPSTREAMS__DEFAULT__URL": upstream.url, "PROJECTS__SHOP__TOKENS": '["phc_b"]', "ADMIN__PORT": 0}
    async with Instance(**settings) as instance:
        await instance.ready(1)
        status, _, _ = await ask(instance.port)  # its token belongs to nobody
        reader, writer = await asyncio.open_connection("127.0.0.1", instance.port)
        writer.write(b"GET /_holdfast/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        series = await scrape(instance)
        assert status == 401
        assert total(series, "holdfast_refusals_total", http_response_status_code="401") == 1
        assert total(series, "holdfast_other_requests_total", http_response_status_code="200") == 1
        assert total(series, ANSWERS) == 0


async def test_gauges_tell_how_every_process_is(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)

        async def shown() -> Series:
            for _ in range(200):
                series = await scrape(instance)
                lags = [place for place in series if place[0] == "holdfast_loop_lag_seconds"]
                if len(lags) == 3 and total(series, "holdfast_workers") == 2:
                    return series
                await asyncio.sleep(0.05)
            raise AssertionError("the gauges of three processes were never there together")

        series = await shown()
        assert total(series, "holdfast_breaker_state", state="closed", upstream="default") == 2
        assert total(series, "holdfast_workers_wanted") == 2


async def test_an_outage_shows_in_mode_and_figures_within_moments_and_readiness_stays() -> None:
    """What the engineer at 3 a.m. looks at: the mode, its reason and since when; and users who are still answered."""
    async with Instance(UPSTREAMS__DEFAULT__URL="http://127.0.0.1:9", BREAKER__CONSECUTIVE=3, ADMIN__PORT=0) as instance:
        await instance.ready(1)
        for _ in range(4):
            await ask(instance.port)

        async def mode() -> str:
            for _ in range(400):
                text = await page(instance.port, "/_holdfast/mode")
                if text.startswith("degraded"):
                    return text
                await asyncio.sleep(0.05)
            raise AssertionError(f"never degraded: {text}")

        assert (await mode()).startswith("degraded breaker_open since 20")
        assert await page(instance.port, "/_holdfast/ready") == "ready"
        assert await page(instance.port, "/_holdfast/fresh") == "fresh"
        series = await scrape(instance)
        assert total(series, "holdfast_degraded_since_seconds", reason="breaker_open") > 1e9
        assert total(series, "holdfast_breaker_trips_total", upstream="default") == 1
        async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/status.json") as answer:
            told = (await answer.json())["mode"]
        assert (told["state"], told["fresh"], [each["reason"] for each in told["reasons"]]) == (
            "degraded",
            True,
            ["breaker_open"],
        )


async def page(port: int, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return await answer.text()
