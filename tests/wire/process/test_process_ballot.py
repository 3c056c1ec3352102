"""The supervisor's side of the conversation with workers that veto, forget, or vanish: the real hub, acted workers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from proxy.config.load import Loaded, load
from proxy.process.accepted import accepted, recall, store
from proxy.process.control.channel import GONE, SILENT, Channel
from proxy.process.control.messages import Abort, Accept, Commit, Done, Drain, Hello, Ping, Prepare, Report, Version, Welcome
from proxy.process.family import Family
from proxy.process.supervisor.hub import Hub
from proxy.process.supervisor.reload import Reloader
from tests.wire.process.support.instance import until

LOG: Any = structlog.wrap_logger(None, processors=[lambda *_: (_ for _ in ()).throw(structlog.DropEvent)])


class Actor:
    """A worker that answers as it is told to and remembers what it heard."""

    def __init__(self, index: int, version: Version, *, refuses: frozenset[type[Any]] = frozenset()) -> None:
        self.heard: list[Any] = []
        self._me = Hello(pid=1000 + index, index=index, version=version, accepting=(index,))
        self._refuses = refuses

    async def arrive(self, path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        kinds = (Welcome, Ping, Report, Prepare, Commit, Abort, Accept, Drain)
        self.channel = Channel(reader, writer, dict.fromkeys(kinds, self._hear), log=LOG)
        self.channel.note(self._me)
        self.task = asyncio.create_task(self.channel.run())

    def kinds(self) -> list[str]:
        return [type(body).__name__ for body in self.heard if not isinstance(body, Ping)]

    async def _hear(self, body: Any) -> Done:
        self.heard.append(body)
        return Done(refusal="I will not" if type(body) in self._refuses else "")


class Stage:
    """A hub and its reloader over a real file."""

    def __init__(self, folder: Path) -> None:
        self.family = Family(runtime=str(folder), listeners=(0, 0), admin=None, lock=0, is_ephemeral=True)
        self.file = folder / "c.toml"
        self.write(1)
        loaded = load(self.file, {})
        assert isinstance(loaded, Loaded)
        self.version = Version(1, loaded.digest)
        record = accepted(loaded.settings, loaded.document, version=self.version, source=str(self.file), now=0.0)
        store(self.family, record)
        self.hub = Hub(workers=2, unresponsive_s=60, welcome=lambda: Welcome(1, 2), log=LOG)
        self.reloader = Reloader(self.family, record, hub=self.hub, log=LOG)

    def write(self, fresh_s: int) -> None:
        self.file.write_text(f'[upstreams.default]\nurl = "https://x.example"\n[policy]\nfresh_s = {fresh_s}\n')

    async def enter(self, *actors: Actor) -> None:
        for actor in actors:
            await actor.arrive(self.family.control)
        await until(lambda: all("Welcome" in actor.kinds() for actor in actors), "everybody is welcomed")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="hf-"))
    stage = Stage(folder)
    serving = asyncio.create_task(stage.hub.serve(stage.family.control))
    await until(lambda: Path(stage.family.control).exists(), "the hub listens")
    yield stage
    for worker in list(stage.hub.workers.values()):
        worker.channel.close()
    await until(lambda: not stage.hub.workers, "everybody has left")
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    shutil.rmtree(folder)


async def test_all_prepare_before_anybody_commits(stage: Stage) -> None:
    actors = [Actor(0, stage.version), Actor(1, stage.version)]
    await stage.enter(*actors)
    stage.write(2)
    outcome = await stage.reloader.reload()
    assert outcome.problems == ()
    assert outcome.version.number == 2
    assert [actor.kinds()[-2:] for actor in actors] == [["Prepare", "Commit"]] * 2
    assert recall(stage.family).version == outcome.version
    assert recall(stage.family).settings.policy.fresh_s == 2


async def test_one_veto_aborts_all_and_stores_nothing(stage: Stage) -> None:
    actors = [Actor(0, stage.version), Actor(1, stage.version, refuses=frozenset({Prepare}))]
    await stage.enter(*actors)
    stage.write(2)
    outcome = await stage.reloader.reload()
    assert outcome.problems == ("worker 1 cannot run it: I will not",)
    assert outcome.version == stage.version
    await until(lambda: all(actor.kinds()[-1] == "Abort" for actor in actors), "everybody forgets it")
    assert not any("Commit" in actor.kinds() for actor in actors)
    assert recall(stage.family).version == stage.version


async def test_a_record_that_cannot_be_stored_aborts_all(stage: Stage) -> None:
    actor = Actor(0, stage.version)
    await stage.enter(actor)
    stage.write(2)
    stage.family.config.unlink()
    stage.family.config.mkdir()
    (stage.family.config / "in the way").touch()
    outcome = await stage.reloader.reload()
    assert "cannot be stored" in outcome.problems[0]
    assert outcome.version == stage.version
    await until(lambda: actor.kinds()[-1] == "Abort", "it forgets it")


async def test_a_worker_that_cannot_commit_what_it_prepared_is_replaced(stage: Stage) -> None:
    actor = Actor(0, stage.version, refuses=frozenset({Commit}))
    await stage.enter(actor)
    stage.write(2)
    assert (await stage.reloader.reload()).problems == ()
    await until(lambda: actor.kinds()[-1] == "Drain", "it is told to go")


async def test_a_newcomer_with_another_version_is_given_the_current_one(stage: Stage) -> None:
    actor = Actor(0, Version(7, "elsewhere"))
    await stage.enter(actor)
    await until(lambda: actor.kinds()[-2:] == ["Prepare", "Commit"], "it is brought up to date")
    assert Commit(stage.version) in actor.heard


async def test_the_later_of_two_workers_with_one_index_stays(stage: Stage) -> None:
    first, second = Actor(0, stage.version), Actor(0, stage.version)
    await stage.enter(first)
    await stage.enter(second)
    await until(lambda: first.kinds()[-1] == "Drain", "the first is told to go")
    first.channel.close()
    await first.task
    assert [worker.channel for worker in stage.hub.answering()] != []
    assert "Drain" not in second.kinds()


async def test_a_sibling_that_leaves_is_covered_and_uncovered(stage: Stage) -> None:
    stays, leaves = Actor(0, stage.version), Actor(1, stage.version)
    await stage.enter(stays, leaves)
    leaves.channel.close()
    await until(lambda: stays.heard and stays.kinds()[-1] == "Accept" and stays.heard.count(Accept((0, 1))) > 0, "it covers")
    await stage.enter(Actor(1, stage.version))
    await until(lambda: [body for body in stays.heard if isinstance(body, Accept)][-1] == Accept((0,)), "it lets go")


async def test_calls_to_a_peer_that_is_gone_or_silent_end_in_time() -> None:
    async def never(_: Ping) -> Done:
        await asyncio.Event().wait()
        return Done()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await Channel(reader, writer, {Ping: never}, log=LOG).run()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    channel = Channel(reader, writer, {}, log=LOG)
    running = asyncio.create_task(channel.run())
    assert await channel.call(Ping(), timeout_s=0.01) is SILENT
    pending = asyncio.create_task(channel.call(Ping(), timeout_s=60))
    await asyncio.sleep(0)
    channel.close()
    assert await pending is GONE
    assert await channel.call(Ping(), timeout_s=60) is GONE
    assert channel.note(Ping()) is False
    await running
    server.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x05hello",
        b'\x00\x00\x00\x19{"body":{"type":"unheard"}}',
        b"\x00",
    ],
)
async def test_a_peer_that_speaks_another_language_is_let_go(stage: Stage, rubbish: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(stage.family.control)
    writer.write(rubbish)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    actor = Actor(0, stage.version)
    await stage.enter(actor)


async def test_a_handlers_bug_is_told_to_the_caller_and_costs_no_connection(stage: Stage) -> None:
    class Clumsy(Actor):
        async def _hear(self, body: Any) -> Done:
            if isinstance(body, Report):
                raise KeyError("canary")
            return await super()._hear(body)

    await stage.enter(Clumsy(0, stage.version))
    worker = stage.hub.workers[0]
    assert (await worker.channel.call(Report(), timeout_s=30)).refusal == "KeyError"
    assert (await worker.channel.call(Ping(), timeout_s=30)).refusal == ""


async def test_a_worker_that_cannot_be_brought_up_to_date_is_cut_off_so_that_it_connects_anew(stage: Stage) -> None:
    async def fail(_: object) -> None:
        raise RuntimeError("a bug of ours")

    stage.hub.on_arrival = fail
    actor = Actor(0, stage.version)
    await stage.enter(actor)
    await until(actor.task.done, "it learns that nobody tells it anything any more")
    assert not stage.hub.workers
    stage.hub.on_arrival = None
    again = Actor(0, stage.version)
    await stage.enter(again)
    assert list(stage.hub.workers) == [0]
