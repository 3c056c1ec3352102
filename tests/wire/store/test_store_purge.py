"""A purge through the admin face reaches the disk: what is forgotten is not known to a later life either, nor in the files."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.wire.process.support.instance import until
from tests.wire.process.support.operator import Operator
from tests.wire.store.checks import asked, serving
from tests.wire.store.upstream import Telling

PEOPLE = [f"person-{number}" for number in range(8)]


async def test_a_person_who_was_forgotten_is_unknown_after_a_restart_in_an_outage(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path, ADMIN__PORT=0) as first, Operator(first) as operator:
        await first.ready(2)
        for person in PEOPLE:
            await asked(first.port, upstream, person)
        await until((tmp_path / "answers" / "answers.db").exists)
        status, said = await operator.call("POST", "/purge", {"project": None, "distinct_id": "person-3", "reason": "asked to"})
        assert (status, said["owed"], said["missing"]) == (200, "", {})
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
    for path in (tmp_path / "answers").iterdir():
        assert b"person-3#" not in path.read_bytes(), path.name
    upstream.is_down = True
    async with serving(upstream, tmp_path) as second:
        await second.ready(2)
        known = {person for person in PEOPLE if (await asked(second.port, upstream, person)).is_stale}
    assert known == set(PEOPLE) - {"person-3"}


async def test_a_purge_of_everything_empties_the_disk(upstream: Telling, tmp_path: Path) -> None:
    async with serving(upstream, tmp_path, ADMIN__PORT=0) as instance, Operator(instance) as operator:
        await instance.ready(2)
        for person in PEOPLE:
            await asked(instance.port, upstream, person)
        status, said = await operator.call("POST", "/purge", {"project": None, "reason": "all of it"})
        assert (status, said["done"], sum(said["workers"].values())) == (200, True, len(PEOPLE))
        for path in (tmp_path / "answers").iterdir():
            assert b"person-" not in path.read_bytes(), path.name
        upstream.is_down = True
        assert {(await asked(instance.port, upstream, person)).status for person in PEOPLE} == {503}
