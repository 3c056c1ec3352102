"""The store's file against a plain model, with the process killed between any two steps.

- What was written is there, whole, also for whoever opens the files as a kill left them.
- Of two answers to one question the later said stays, unless it is from the future.
- What was purged, has ended or belongs to nobody any more is gone, and nothing else is.
- The order is that of writing, so that what goes first is what was written longest ago.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.lastgood.disk.book import Book
from proxy.lastgood.disk.schema import FILE, open_to_read
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from tests.fakes.store import record

NOW = 50.0
PROJECTS = st.sampled_from(["shop", "blog"])
PEOPLE = st.sampled_from(["ada", "bob"])
RECORDS = st.builds(
    record,
    st.sampled_from("abcdef"),
    size=st.sampled_from([1, 300, 4_000, 30_000]),
    project=PROJECTS,
    person=PEOPLE,
    stored_at=st.floats(1, 60),
    expires_at=st.floats(40, 90),
)


class BookMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="hf-book-"))
        self.lives = 0
        self.path = self.root / FILE
        self.book = Book(self.path, max_bytes=1 << 24)
        self.model: dict[bytes, Sealed] = {}

    @rule(records=st.lists(RECORDS, min_size=1, max_size=5))
    def write(self, records: list[Sealed]):
        self.book.write(records, now=NOW)
        for each in records:
            held = self.model.get(each.key)
            if held is None or not each.stored_at < held.stored_at <= NOW:
                self.model.pop(each.key, None)
                self.model[each.key] = each

    @rule(project=PROJECTS)
    def purge_project(self, project: str):
        assert self.book.purge(SealedPurge(project)) == self._forget(lambda each: each.project == project)

    @rule(person=PEOPLE)
    def purge_person(self, person: str):
        seal = record("x", person=person).person
        assert self.book.purge(SealedPurge(None, frozenset({seal}))) == self._forget(lambda each: each.person == seal)

    @rule()
    def purge_all(self):
        assert self.book.purge(SealedPurge()) == self._forget(lambda _: True)

    @rule(project=PROJECTS)
    def keep_only(self, project: str):
        self.book.keep_only([project])
        self._forget(lambda each: each.project != project)

    @rule(now=st.floats(40, 90))
    def time_passes(self, now: float):
        while self.book.forget_ended(now=now):
            pass
        self._forget(lambda each: each.expires_at <= now)

    @rule(everything=st.booleans())
    def give_back(self, everything: bool):
        self.book.give_back(everything=everything)

    @rule()
    def close_and_open(self):
        self.book.close()
        self.book = Book(self.path, max_bytes=1 << 24)

    @rule()
    def kill(self):
        """Go on from a copy of the files as they are, with nobody having closed anything."""
        self.lives += 1
        after = self.root / f"life-{self.lives}"
        after.mkdir()
        for suffix in ("", "-wal"):
            if (self.path.parent / (FILE + suffix)).exists():
                shutil.copy(self.path.parent / (FILE + suffix), after)
        self.book.close()
        self.path = after / FILE
        self.book = Book(self.path, max_bytes=1 << 24)

    @invariant()
    def what_is_there_is_what_was_written_and_not_forgotten_in_order(self):
        assert self.book.count() == len(self.model)
        reader = open_to_read(self.path)
        rows = reader.execute("SELECT key, project, person, stored_at, expires_at, value FROM answers ORDER BY id").fetchall()
        reader.close()
        assert [Sealed(*row) for row in rows] == list(self.model.values())

    @invariant()
    def what_it_takes_is_at_least_what_is_in_it(self):
        assert self.book.bytes >= sum(len(each.value) for each in self.model.values())

    def teardown(self) -> None:
        self.book.close()
        connection = sqlite3.connect(self.path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        shutil.rmtree(self.root)

    def _forget(self, is_meant) -> int:
        gone = [key for key, each in self.model.items() if is_meant(each)]
        for key in gone:
            del self.model[key]
        return len(gone)


BookMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBookMachine = BookMachine.TestCase
