"""After a restart of everything, with upstream down, known callers get what was last said to them, truly dated."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp

from tests.wire.process.support.instance import Instance, until
from tests.wire.store.checks import asked, serving
from tests.wire.store.upstream import Telling

PEOPLE = [f"person-{number}" for number in range(40)]


async def written(instance: Instance) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/status.json") as answer:
        state = await answer.json()
    return int(state["store"]["written"])


async def test_known_callers_are_answered_after_a_restart_in_an_outage(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path) as first:
        await first.ready(2)
        for _ in range(2):
            before = {person: (await asked(first.port, upstream, person)).serial for person in PEOPLE}
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
    upstream.is_down = True
    async with serving(upstream, tmp_path) as second:
        await second.ready(2)
        given = {person: await asked(second.port, upstream, person) for person in PEOPLE}
        assert {person: each.serial for person, each in given.items()} == before, "the last answer, for everybody"
        assert all(each.is_stale for each in given.values())
        assert (await asked(second.port, upstream, "stranger")).status == 503
        await until(lambda: second.events("store_open"))
        assert second.event("store_open")["answers"] == len(PEOPLE)


async def test_what_was_written_survives_a_kill_of_the_whole_instance(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path, ADMIN__PORT=0) as first:
        await first.ready(2)
        before = {person: (await asked(first.port, upstream, person)).serial for person in PEOPLE}
        while await written(first) < len(PEOPLE):  # noqa: ASYNC110  the instance cannot tell us
            await asyncio.sleep(0.05)
        os.killpg(os.getpgid(first.roster()["launcher"]), signal.SIGKILL)
        await first.ended()
    upstream.is_down = True
    async with serving(upstream, tmp_path) as second:
        await second.ready(2)
        given = {person: await asked(second.port, upstream, person) for person in PEOPLE}
        assert {person: each.serial for person, each in given.items()} == before


async def test_a_worker_that_starts_again_in_an_outage_knows_what_its_predecessor_knew(
    upstream: Telling, tmp_path: Path
) -> None:
    async with serving(upstream, tmp_path, ADMIN__PORT=0, PROCESS__WORKERS=1) as instance:
        await instance.ready(1)
        for person in PEOPLE:
            await asked(instance.port, upstream, person)
        while await written(instance) < len(PEOPLE):  # noqa: ASYNC110  the instance cannot tell us
            await asyncio.sleep(0.05)
        upstream.is_down = True
        dead = instance.signal(signal.SIGKILL, "worker-0")
        await until(lambda: instance.roster().get("worker-0", dead) != dead, "the worker comes back")
        assert all([(await asked(instance.port, upstream, person)).is_stale for person in PEOPLE])


async def test_nothing_is_written_where_the_store_is_switched_off(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path / "store", STORE__ENABLED="false") as instance:
        await instance.ready(2)
        assert (await asked(instance.port, upstream, "person-1")).status == 200
        instance.signal(signal.SIGTERM)
        assert await instance.ended() == 0
    assert not (tmp_path / "store").exists()


async def test_no_token_id_or_body_is_on_the_disk_and_nobody_else_can_read_it(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path) as instance:
        await instance.ready(2)
        upstream.size = 10
        await asked(instance.port, upstream, "canary-person")
        instance.signal(signal.SIGTERM)
        assert await instance.ended() == 0
        logged = str(instance.lines)
    folder = tmp_path / "answers"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = {path.name: path for path in folder.iterdir()}
    assert {"answers.db", "hmac.key", "writer.lock"} <= files.keys()
    for path in files.values():
        assert path.stat().st_mode & 0o777 == 0o600, path.name
        for text in (b"phc_a", b"distinct_id", b'canary-person"'):
            assert text not in path.read_bytes(), path.name
    assert "canary-person" not in logged
