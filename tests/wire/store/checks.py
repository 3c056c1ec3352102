"""Asking a proxy whose upstream can be traced: every answer is what was said to this very person, whole and truly dated."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import Instance
from tests.wire.store.upstream import Telling

_NO_TRIP = {"BREAKER__CONSECUTIVE": 10**6, "BREAKER__MINIMUM_CALLS": 10**6}
_AGE = re.compile(rb"^age: ([0-9]+)\r$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Given:
    """What a caller got. `serial`: of what upstream said; None: no flags. `is_stale`: the label says so."""

    status: int
    serial: int | None
    is_stale: bool


def serving(upstream: Telling, store: Path, **settings: object) -> Instance:
    """An instance whose store outlives it and takes every answer.

    Its breaker never trips: an upstream that is back is asked at once, or there would be nothing to write.
    """
    told = {"STORE__DIRECTORY": store, "STORE__REWRITE_S": 0, "PROCESS__WORKERS": 2, **_NO_TRIP, **settings}
    return Instance(UPSTREAMS__DEFAULT__URL=upstream.url, **told)


def written(store: Path) -> int:
    """How many answers the store holds that another process can read; none while its file is being made."""
    file = store / "answers" / "answers.db"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


async def asked(port: int, upstream: Telling, person: str) -> Given:
    """Ask once; fail unless the answer is true."""
    began = time.time()
    status, head, body = await ask(port, person)
    ended = time.time()
    if status != 200:
        assert status == 503, (status, head)
        return Given(status, None, is_stale=False)
    answer = json.loads(body)
    name, _, serial = answer["flags"]["who"]["variant"].partition("#")
    assert name == person, "an answer of somebody else's"
    said = upstream.said[person][int(serial)]
    assert answer["flags"] == said.flags, "an answer that upstream never gave"
    assert answer["requestId"] == f"r{serial}"
    is_stale = b"detail=stale" in head
    assert answer["errorsWhileComputingFlags"] is is_stale
    if not is_stale:
        said.received_at = ended
        return Given(status, int(serial), is_stale=False)
    age = _AGE.search(head)
    assert age is not None
    oldest, youngest = ended - said.sent_at + 1, began - (said.received_at or began) - 1
    assert youngest <= int(age[1]) <= oldest, "an age that is not true"
    return Given(status, int(serial), is_stale=True)
