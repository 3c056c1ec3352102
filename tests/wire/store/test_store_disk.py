"""Must show 4: a full, a read-only and a damaged disk. The proxy starts, says so, serves on, and never says what is not so."""

from __future__ import annotations

import resource
import signal
from pathlib import Path
from random import Random

from tests.wire.process.support.instance import Instance, until
from tests.wire.store.checks import asked, serving
from tests.wire.store.disks import may_mount, read_only, tmpfs
from tests.wire.store.upstream import Telling

PEOPLE = [f"person-{number}" for number in range(30)]


async def everybody(instance: Instance, upstream: Telling, people: list[str] = PEOPLE) -> list[bool]:
    """Ask for everybody once; return who was answered from memory."""
    given = [await asked(instance.port, upstream, person) for person in people]
    return [each.is_stale for each in given]


async def filled(upstream: Telling, store: Path) -> None:
    """Have a store that knows everybody."""
    async with serving(upstream, store, PROCESS__WORKERS=1) as instance:
        await instance.ready(1)
        await everybody(instance, upstream)
        instance.signal(signal.SIGTERM)
        assert await instance.ended() == 0


async def test_a_full_disk_is_said_nobody_notices_and_writing_begins_again_when_there_is_room(
    upstream: Telling, tmp_path: Path
) -> None:
    upstream.size = 30_000
    if not may_mount(tmp_path):
        await a_limit_instead_of_a_full_disk(upstream, tmp_path)
        return
    with tmpfs(tmp_path / "small", "512k") as disk:
        async with serving(upstream, disk.folder, PROCESS__WORKERS=1) as instance:
            await instance.ready(1)
            await everybody(instance, upstream)
            await until(lambda: instance.events("store_unusable", trouble="disk_full"))
            assert not any(await everybody(instance, upstream)), "all of them live"
            disk.remount("size=64m")
            await until(lambda: instance.events("store_works_again"))
            assert not any(await everybody(instance, upstream))
            instance.signal(signal.SIGTERM)
            assert await instance.ended() == 0
        upstream.is_down = True
        async with serving(upstream, disk.folder, PROCESS__WORKERS=1) as instance:
            await instance.ready(1)
            assert all(await everybody(instance, upstream))


async def a_limit_instead_of_a_full_disk(upstream: Telling, store: Path) -> None:
    """The same where nothing may be mounted: the writer may make no larger files."""
    async with serving(upstream, store, PROCESS__WORKERS=1) as instance:
        await instance.ready(1)
        await until(lambda: instance.events("store_open"))
        writer = instance.roster()["supervisor"]
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        await everybody(instance, upstream)
        await until(lambda: instance.events("store_unusable"))
        assert not any(await everybody(instance, upstream))
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(lambda: instance.events("store_works_again"))


async def test_a_read_only_disk_is_said_and_what_is_on_it_is_still_read(upstream: Telling, tmp_path: Path) -> None:
    await filled(upstream, tmp_path)
    with read_only(tmp_path):
        async with serving(upstream, tmp_path, PROCESS__WORKERS=1) as instance:
            await instance.ready(1)
            upstream.is_down = True
            assert all(await everybody(instance, upstream)), "what it knew it still knows"
            upstream.is_down = False
            await until(lambda: instance.events("store_unusable"))
            assert instance.event("store_unusable")["trouble"] == "read_only"
            assert len(instance.events("store_unusable")) == 1
            assert (await asked(instance.port, upstream, "somebody new")).status in {200, 503}


async def test_a_folder_that_was_never_writable_costs_nothing_but_memory(upstream: Telling, tmp_path: Path) -> None:
    with read_only(tmp_path):
        async with serving(upstream, tmp_path, PROCESS__WORKERS=1) as instance:
            await instance.ready(1)
            assert not any(await everybody(instance, upstream))
            assert instance.events("store_off", role="supervisor")
            upstream.is_down = True
            first = [await asked(instance.port, upstream, person) for person in PEOPLE]
            assert all(each.is_stale for each in first), "its memory is there"


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[: len(content) // 3]
    else:
        random = Random(5)
        for _ in range(len(content) // 64):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


async def test_a_damaged_file_is_set_aside_and_begun_anew(upstream: Telling, tmp_path: Path) -> None:
    await filled(upstream, tmp_path)
    folder = tmp_path / "answers"
    for how in ("cut", "flipped"):
        damage(folder / "answers.db", how)
        async with serving(upstream, tmp_path, PROCESS__WORKERS=1) as instance:
            await instance.ready(1)
            upstream.is_down = True
            assert not any(await everybody(instance, upstream, PEOPLE[:4])), "a few only: the breaker is to stay closed"
            await until(lambda instance=instance: instance.events("store_set_aside"))
            assert {path.name for path in folder.iterdir()} >= {"answers.db", "answers.db.damaged"}
            upstream.is_down = False
            assert not any(await everybody(instance, upstream))
            instance.signal(signal.SIGTERM)
            assert await instance.ended() == 0
    upstream.is_down = True
    async with serving(upstream, tmp_path, PROCESS__WORKERS=1) as instance:
        await instance.ready(1)
        assert all(await everybody(instance, upstream))
        assert not instance.events("store_set_aside")


async def test_values_flipped_behind_our_back_are_misses_never_answers(upstream: Telling, tmp_path: Path) -> None:
    """Damage inside the answers, which SQLite itself cannot notice."""
    await filled(upstream, tmp_path)
    path = tmp_path / "answers" / "answers.db"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"variant": "person-1', b'"variant": "person-2'))
    upstream.is_down = True
    async with serving(upstream, tmp_path, PROCESS__WORKERS=1) as instance:
        await instance.ready(1)
        given = dict(zip(PEOPLE, await everybody(instance, upstream), strict=True))
    assert not any(is_known for person, is_known in given.items() if person.startswith("person-1"))
    assert given["person-2"]
