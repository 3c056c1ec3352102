"""Reload: checked, all or nothing, nothing forgotten, no request lost."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.wire.process.support.callers import Callers, ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream


class Configured:
    """A configuration file and an instance that runs it."""

    def __init__(self, upstream: Upstream, path: Path) -> None:
        self.path = path
        self._url = upstream.url
        self.write("fresh_s = 600")
        self.instance = Instance(config=path, PROCESS__WORKERS=2, ADMIN__PORT=0)

    def write(self, policy: str, *, more: str = "") -> None:
        self.path.write_text(f'{more}\n[upstreams.default]\nurl = "{self._url}"\n[policy]\n{policy}\n')

    async def state(self) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.instance.admin}/status.json") as answer:
            return dict(await answer.json())

    async def reload(self) -> tuple[int, dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.post(f"{self.instance.admin}/reload") as answer:
            return answer.status, await answer.json()


@pytest.fixture
def configured(upstream: Upstream, tmp_path: Path) -> Configured:
    return Configured(upstream, tmp_path / "holdfast.toml")


async def test_a_good_reload_under_load_fails_no_request_and_keeps_what_is_remembered(
    configured: Configured, upstream: Upstream
) -> None:
    async with configured.instance as instance:
        await instance.ready(2)
        while (await _hits(instance.port, person="remembered", times=20)) < 20:
            continue  # both workers know the answer once twenty in a row come from memory
        calls = upstream.calls
        configured.write("fresh_s = 601")
        instance.signal(signal.SIGHUP)
        await until(lambda: len(instance.events("reconfigured")) == 2, "both workers have changed")
        assert await _hits(instance.port, person="remembered", times=20) == 20
        assert upstream.calls == calls
        async with Callers(instance.port) as callers:
            await callers.more(20)
            configured.write("fresh_s = 602")
            instance.signal(signal.SIGHUP)
            await until(lambda: len(instance.events("reconfigured")) == 4, "and again")
            await callers.more(50)
        assert callers.failed == []
        assert instance.event("reloaded")["config"].startswith("3-")
        state = await configured.state()
        assert {worker["config"] for worker in state["workers"]} == {state["config"]["version"]}


async def test_a_reload_takes_effect(configured: Configured, upstream: Upstream) -> None:
    async with configured.instance as instance:
        await instance.ready(2)
        configured.write("fresh_s = 0\n[log]\nlevel = 'debug'\n[process]\ndrain_s = 3")
        assert await configured.reload() == (200, {"config": instance.event("reloaded")["config"], "problems": []})
        calls = upstream.calls
        for _ in range(5):
            await ask(instance.port)
        assert upstream.calls == calls + 5


BAD = [
    # policy, other sections, what is said
    ("fresh_s = -1", "", "$.policy.fresh_s: expected `float` >= 0.0  (holdfast.toml:5)"),
    ("fresh_s = [", "", "not valid TOML"),
    ("fresh_s = 7", "[listen]\nhost = '127.0.0.2'", "$.listen.host: cannot change at run time; restart to change it"),
    ("fresh_s = 7\n[upstreams.b]\nurl = 'https://b'\nca_file = '/absent'", "", "$.upstreams.b.ca_file: cannot be read"),
    ("fresh_s = 7", "[admin]\nhost = '::1'", "$.admin.host: cannot change at run time"),
]


async def test_a_bad_reload_changes_nothing_and_says_why(configured: Configured) -> None:
    async with configured.instance as instance:
        await instance.ready(2)
        before = (await configured.state())["config"]
        for policy, more, said in BAD:
            configured.write(policy, more=more)
            status, answer = await configured.reload()
            assert status == 409
            assert said in " ".join(answer["problems"])
            assert (await configured.state())["config"] == before
            assert said in " ".join(instance.event("reload_refused")["problems"])
        assert instance.events("reconfigured") == []
        assert (await ask(instance.port))[0] == 200


async def test_who_starts_later_runs_what_was_accepted_whatever_the_file_says_by_then(configured: Configured) -> None:
    async with configured.instance as instance:
        await instance.ready(2)
        configured.write("fresh_s = 5")
        await configured.reload()
        accepted = (await configured.state())["config"]["version"]
        configured.path.write_text("this is not TOML")
        dead = {instance.signal(signal.SIGKILL, "supervisor"), instance.signal(signal.SIGKILL, "worker-0")}
        await until(lambda: dead.isdisjoint(instance.roster().values()), "both are replaced")
        await instance.ready(2)
        state = await configured.state()
        assert state["config"]["version"] == accepted
        assert {worker["config"] for worker in state["workers"]} == {accepted}


async def test_a_worker_that_missed_a_reload_is_brought_up_to_date(configured: Configured) -> None:
    async with configured.instance as instance:
        await instance.ready(2)
        pid = instance.signal(signal.SIGSTOP, "worker-0")
        await until(lambda: instance.events("worker_unresponsive", worker=0), "it is noticed")
        configured.write("fresh_s = 5")
        status, answer = await configured.reload()
        assert status == 200
        assert len(instance.events("reconfigured")) == 1
        instance.signal(signal.SIGCONT, "worker-0")
        await until(lambda: instance.events("reconfigured", pid=pid), "it catches up")
        assert instance.event("reconfigured", pid=pid)["config"] == answer["config"]


async def _hits(port: int, *, person: str, times: int) -> int:
    heads = [(await ask(port, person))[1] for _ in range(times)]
    return sum(b"hit" in head.lower().partition(b"cache-status:")[2].partition(b"\r\n")[0] for head in heads)
