"""The supervisor's share in what is remembered, with workers that can be away."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import msgspec

from proxy.config.settings import SecretSource, Settings, Store, Upstream
from proxy.lastgood.disk.place import folder_of, seals_of
from proxy.lastgood.tiers.record import Purge
from proxy.lastgood.tiers.sealing import Seals
from proxy.process.control.channel import GONE, SILENT
from proxy.process.control.messages import Body, Done, Frame, Hello, Remember, Version, decode, encode
from proxy.process.supervisor.remembering import RETOLD_S, Remembering
from proxy.process.worker.beyond import disk_tier, to_supervisor
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines
from tests.fakes.store import record

SETTINGS = Settings(upstreams={"default": Upstream(url="https://flags.example")})


class Channel:
    def __init__(self) -> None:
        self.told: list[Body] = []

    def note(self, body: Body) -> bool:
        self.told.append(body)
        return True


class Worker:
    """One connection of a worker; it replies as it is made to."""

    def __init__(self, index: int, reply: Done | None = None, *, pid: int | None = None, born: float = 0.0) -> None:
        self.hello = Hello(100 + index if pid is None else pid, index, Version(1, "d"), (), born)
        self.reply = reply or Done()
        self.channel = Channel()


class Workers:
    """A hub with workers, each with its reply."""

    def __init__(self, *replies: Done) -> None:
        self.workers = {index: Worker(index, reply) for index, reply in enumerate(replies)}
        self.told: list[Body] = []

    async def tell(self, workers: list[Worker], body: Body, *, timeout_s: float) -> list[tuple[Any, Done]]:
        self.told.append(body)
        return [(worker, worker.reply) for worker in workers]


def told(desk: Remembering, worker: Worker) -> list[Body]:
    """Have a worker arrive; return what it is told."""
    worker.channel.told.clear()
    desk.tell(worker)  # type: ignore[arg-type]
    return [*worker.channel.told]


def remembering(folder: Path, workers: Workers, clock: FakeClock | None = None, **store: Any) -> Remembering:
    settings = msgspec.structs.replace(SETTINGS, store=Store(**store))
    return Remembering(
        settings,
        str(folder),
        hub=workers,
        clock=clock or FakeClock(),
        environ={},
        log=Lines().log,  # type: ignore[arg-type]
    )


async def test_a_purge_says_what_each_worker_forgot_and_who_is_missing(tmp_path: Path) -> None:
    workers = Workers(Done(detail={"forgotten": 3}), SILENT)
    purged = await remembering(tmp_path, workers, enabled=False).purge(Purge("shop"))
    assert (purged.workers, purged.missing) == ({0: 3}, {1: SILENT.refusal})
    assert not purged.is_done
    assert workers.told == [Purge("shop")]


async def test_a_purge_that_reached_everybody_is_done(tmp_path: Path) -> None:
    purged = await remembering(tmp_path, Workers(Done(detail={"forgotten": 3})), enabled=False).purge(Purge())
    assert purged.is_done


async def test_a_worker_that_comes_back_is_told_of_purges_and_later_ones_are_not(tmp_path: Path) -> None:
    clock = FakeClock()
    desk = remembering(tmp_path, Workers(), clock, enabled=False)
    await desk.purge(Purge("old"))
    clock.advance(RETOLD_S)
    await desk.purge(Purge("new"))
    assert told(desk, Worker(0)) == [Purge("old"), Purge("new")]
    clock.advance(1)
    assert told(desk, Worker(0)) == [Purge("new")]


async def test_a_worker_that_knows_of_a_purge_is_not_told_again_and_keeps_what_it_remembered_since(tmp_path: Path) -> None:
    workers = Workers(Done(), SILENT, GONE)
    desk = remembering(tmp_path, workers, enabled=False)
    await desk.purge(Purge("shop"))
    took, silent, gone = workers.workers.values()
    assert told(desk, took) == [], "its loop hung for a moment"
    assert told(desk, Worker(0, pid=took.hello.pid)) == [], "its connection broke"
    assert told(desk, silent) == [], "it hears it when it is back to its senses: the connection is the same"
    assert told(desk, Worker(1, pid=silent.hello.pid)) == [Purge("shop")], "on the connection that broke it may be lost"
    back = Worker(2, pid=gone.hello.pid)
    assert (told(desk, back), told(desk, back)) == ([Purge("shop")], [])


async def test_a_worker_that_was_born_after_a_purge_is_told_only_while_somebody_owes_it(tmp_path: Path) -> None:
    clock = FakeClock()
    owing = Workers(Done(detail={"owed": "Redis is away"}))
    for workers, expected in ((Workers(Done()), []), (owing, [Purge()]), (Workers(GONE), [Purge()])):
        desk = remembering(tmp_path, workers, clock, enabled=False)
        await desk.purge(Purge())
        assert told(desk, Worker(0, pid=7, born=clock.now + 1)) == expected
        assert told(desk, Worker(0, pid=7, born=clock.now - 1)) == [Purge()], "it was away"


async def test_where_nothing_is_kept_on_disk_its_duty_ends_and_what_is_sent_is_dropped(tmp_path: Path) -> None:
    desk = remembering(tmp_path, Workers(), enabled=False)
    await desk.run()
    assert await desk.take(Remember((record("a"),))) == Done()
    assert desk.report() is None
    await desk.settle(patience_s=1)


async def test_a_purge_that_the_disk_did_not_do_in_time_is_owed(tmp_path: Path) -> None:
    desk = remembering(tmp_path, Workers())  # its duty does not run
    assert desk.writer is not None
    desk.writer.patience_s = 0.01
    purged = await desk.purge(Purge())
    assert (purged.disk, purged.owed, purged.is_done) == (0, "slow", False)


def test_records_cross_the_wire_whole() -> None:
    sent = Remember((record("a"), record("b", size=5)))
    assert decode(encode(Frame(sent, call=3))).body == sent
    assert decode(encode(Frame(Purge(None, "ada")))).body == Purge(None, "ada")


async def test_a_batch_counts_as_sent_only_when_the_supervisor_says_so() -> None:
    class Link:
        reply = Done()

        async def call(self, body: Body, *, timeout_s: float) -> Done:
            assert body == Remember((record("a"),))
            return self.reply

    link = Link()
    send = to_supervisor(link)
    assert await send([record("a")])
    link.reply = SILENT
    assert not await send([record("a")])


def test_without_a_secret_nothing_is_kept_and_the_log_says_why(tmp_path: Path) -> None:
    (tmp_path / "answers").write_bytes(b"in the way")
    lines = Lines()
    assert disk_tier(SETTINGS, runtime=str(tmp_path), environ={}, log=lines.log) is None
    assert lines.events() == ["store_off"]
    assert remembering(tmp_path, Workers()).writer is None


def test_the_store_lies_in_its_own_folder_of_the_configured_or_the_runtime_one(tmp_path: Path) -> None:
    assert folder_of(Store(), "/run/x") == Path("/run/x/answers")
    assert folder_of(Store(directory="/var/y"), "/run/x") == Path("/var/y/answers")


def test_every_process_has_the_same_seals_and_the_secret_is_ours_alone(tmp_path: Path) -> None:
    first, second = seals_of(Store(), tmp_path / "answers", {}), seals_of(Store(), tmp_path / "answers", {})
    assert isinstance(first, Seals)
    assert isinstance(second, Seals)
    assert first.purge(Purge("a", "b"), ()) == second.purge(Purge("a", "b"), ())
    assert stat.S_IMODE((tmp_path / "answers" / "hmac.key").stat().st_mode) == 0o600


def test_the_previous_secret_is_read_from_its_place_and_missing_is_said(tmp_path: Path) -> None:
    store = Store(hmac_key=SecretSource(env="NEW"), previous_hmac_key=SecretSource(env="OLD"))
    seals = seals_of(store, tmp_path, {"NEW": "n", "OLD": "o"})
    assert isinstance(seals, Seals)
    assert Seals(b"o").purge(Purge("a", "b"), ()).people < (seals.purge(Purge("a", "b"), ()).people or set())
    assert seals_of(store, tmp_path, {"NEW": "n"}) == "previous_hmac_key: environment variable OLD is not set"
