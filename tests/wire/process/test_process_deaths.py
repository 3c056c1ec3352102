"""Must show 7: whoever is killed, no request fails beyond those in flight on a dead worker, and everybody comes back."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.wire.process.support.callers import LANES, Callers, Connection, ask
from tests.wire.process.support.instance import PATIENCE_S, Instance, until
from tests.wire.process.support.upstream import Upstream


def serving(upstream: Upstream, **settings: object) -> Instance:
    return Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, **settings)


async def test_a_killed_worker_costs_only_its_requests_in_flight_and_comes_back(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(50)
            before = asyncio.get_running_loop().time()
            dead = instance.signal(signal.SIGKILL, "worker-0")
            await until(lambda: instance.roster().get("worker-0", dead) != dead, "the worker comes back")
            await instance.ready(2)
            await callers.more(100)
        assert all(failed.opened_at < before for failed in callers.failed), callers.failed
        assert len({failed.lane for failed in callers.failed}) == len(callers.failed) <= LANES


async def test_a_killed_worker_of_an_instance_with_one_keeps_its_callers_waiting_not_failing(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await instance.ready(1)
        async with Callers(instance.port) as callers:
            await callers.more(50)
            before = asyncio.get_running_loop().time()
            instance.signal(signal.SIGKILL, "worker-0")
            await callers.more(100)
            await instance.ready(1)
        assert all(failed.opened_at < before for failed in callers.failed), callers.failed


async def test_a_killed_supervisor_costs_no_request_and_comes_back(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(50)
            dead = instance.signal(signal.SIGKILL, "supervisor")
            await until(lambda: instance.roster().get("supervisor", dead) != dead, "the supervisor comes back")
            await instance.ready(2)
            await callers.more(100)
        assert callers.failed == []


async def test_worker_and_supervisor_killed_at_once_both_come_back(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(50)
            before = asyncio.get_running_loop().time()
            dead = {instance.signal(signal.SIGKILL, "supervisor"), instance.signal(signal.SIGKILL, "worker-1")}
            await until(lambda: dead.isdisjoint(instance.roster().values()), "both are replaced")
            await instance.ready(2)
            await callers.more(100)
        assert all(failed.opened_at < before for failed in callers.failed), callers.failed


async def test_a_killed_launcher_costs_no_request_and_its_successor_restarts_and_stops_the_others(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        async with Callers(instance.port) as callers:
            await callers.more(50)
            dead = instance.signal(signal.SIGKILL, "launcher")
            await until(lambda: instance.roster().get("launcher", dead) != dead, "another launcher")
            await until(lambda: len(instance.events("adopted")) == 3, "two workers and a supervisor adopted")
            await callers.more(50)
            assert callers.failed == []
            worker = instance.signal(signal.SIGKILL, "worker-1")
            await until(lambda: instance.roster().get("worker-1", worker) != worker, "the successor restarts a worker")
            await instance.ready(2)
            await callers.more(50)
        instance.signal(signal.SIGTERM)
        await until(lambda: instance.events("stopped", is_forced=False), "the successor drains and stops")


async def test_workers_without_launcher_and_supervisor_answer_on_and_then_free_the_port(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        workers = instance.present()
        instance.signal(signal.SIGSTOP, "supervisor")  # so that it does not start another launcher
        instance.signal(signal.SIGKILL, "launcher")
        instance.signal(signal.SIGKILL, "supervisor")
        assert (await ask(instance.port))[0] == 200
        await until(lambda: {line["pid"] for line in instance.events("drained")} == workers, "the orphans drain")
        with pytest.raises(ConnectionRefusedError):
            await until_closed(instance.port)


async def until_closed(port: int) -> None:
    """Connect until that is refused."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            connection = Connection(port)
            await connection.open()
            await connection.close()


async def test_while_a_worker_is_away_its_sibling_accepts_for_it(upstream: Upstream) -> None:
    async with serving(upstream) as instance:
        await instance.ready(2)
        launcher = instance.signal(signal.SIGSTOP)  # nobody restarts the worker now
        instance.signal(signal.SIGKILL, "worker-0")
        await until(lambda: instance.events("accepting", worker=1, listeners=[0, 1]), "the sibling takes over")
        answers = await asyncio.gather(*(ask(instance.port) for _ in range(40)))
        assert {status for status, _, _ in answers} == {200}
        assert instance.signal(signal.SIGCONT) == launcher
        await until(lambda: instance.events("accepting", worker=1, listeners=[1]), "the sibling lets go")


async def test_a_worker_whose_loop_hangs_is_covered_and_then_replaced(upstream: Upstream) -> None:
    async with serving(upstream, PROCESS__UNRESPONSIVE_S=3) as instance:
        await instance.ready(2)
        stuck = instance.signal(signal.SIGSTOP, "worker-0")
        await until(lambda: instance.events("worker_unresponsive", worker=0), "it is noticed")
        await until(lambda: instance.events("accepting", worker=1, listeners=[0, 1]), "the sibling takes over")
        await until(lambda: instance.roster().get("worker-0", stuck) != stuck, "it is replaced")
        await instance.ready(2)
        assert instance.events("worker_killed", worker_pid=stuck)
