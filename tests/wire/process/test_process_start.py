"""Starting: the first line tells the address, and whatever stands in the way is said in words, with an exit code of its own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream


async def test_the_first_line_is_listening_and_callers_may_come_at_once(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await until(lambda: instance.lines, "a first line")
        assert instance.lines[0]["event"] == "listening"
        assert (await ask(instance.port))[0] == 200


async def test_every_line_names_role_and_pid(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await instance.ready(1)
        assert {line["role"] for line in instance.lines} == {"launcher", "supervisor", "worker"}
        assert all(line["pid"] > 0 for line in instance.lines)
        assert instance.event("answering").items() >= {"uvloop": True, "c_parser": True}.items()


async def test_a_taken_port_is_named_with_its_remedy(upstream: Upstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, LISTEN__PORT=port) as instance:
            assert await instance.ended() == 3
            assert f"port {port} is taken" in instance.stderr
            assert "HOLDFAST_LISTEN__PORT" in instance.stderr


async def test_a_port_taken_by_another_instance_is_not_shared_with_it(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as first:
        await until(lambda: first.lines, "it listens")
        async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, LISTEN__PORT=first.port) as second:
            assert await second.ended() == 3
            assert "is taken" in second.stderr


async def test_a_second_instance_in_the_same_folder_is_refused(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as first:
        await until(lambda: first.lines, "it listens")
        folder = first.folder / "run"
        async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__RUNTIME_DIR=folder) as second:
            assert await second.ended() == 4
            assert f"another instance runs in it (started as pid {first.event('listening')['pid']})" in second.stderr


async def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    async with Instance(config=tmp_path / "absent.toml") as instance:
        assert await instance.ended() == 2
        assert "no such file" in instance.stderr
        assert "absent.toml" in instance.stderr


async def test_every_fault_of_a_bad_configuration_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[upstreams.default]\nurl = "ftp://x"\n[listen]\nprot = 1\n[memory]\nmax_bytes = "much"\n')
    async with Instance(config=path) as instance:
        assert await instance.ended() == 2
        assert "$.listen.prot: unknown key; did you mean port?  (bad.toml:4)" in instance.stderr
        assert "$.memory.max_bytes: expected `int`, got `str`  (bad.toml:6)" in instance.stderr


async def test_with_its_upstream_out_of_reach_it_starts_all_the_same_and_warns() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"http://127.0.0.1:{gone.getsockname()[1]}"
    async with Instance(UPSTREAMS__DEFAULT__URL=nobody) as instance:
        await until(lambda: instance.events("upstream_unreachable", upstream="default"), "the warning")
        await instance.ready(1)
        assert (await ask(instance.port))[0] == 503


async def test_without_projects_it_warns_of_being_an_open_relay(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await until(lambda: instance.events("open_relay", level="warning"), "the warning")


async def test_the_folder_holds_nothing_that_others_could_read(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await instance.ready(1)
        folder = instance.folder / "run"
        assert folder.stat().st_mode & 0o077 == 0
        await asyncio.sleep(0)
        assert [path.name for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077] == []
