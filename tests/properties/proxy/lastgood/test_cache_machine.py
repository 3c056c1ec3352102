"""The remembered answers against a plain model: a list in order of use, and the clock.

- Never are more bytes held than the budget, and the bytes counted are those of what is held.
- What goes to make room is what was used longest ago, and no more goes than has to.
- A value is fresh until its first deadline, there until its second, and never after; both count from when it was said.
- What was put back old is exactly as old as before; a clock that stands still changes nothing.
- What does not fit at all is not kept, and costs nobody else their place.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.lastgood.cache import ENTRY_BYTES, Cache
from reference.steps import finish
from tests.fakes.clock import FakeClock

BUDGET = 6 * ENTRY_BYTES
KEYS = st.sampled_from("abcdefghij")


class CacheMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.cache: Cache[str, int] = Cache(max_bytes=BUDGET, clock=self.clock)
        self.model: list[
            tuple[str, int, int, float, float]
        ] = []  # key, value, cost, fresh until, usable until; oldest use first
        self.budget = BUDGET

    @rule(
        key=KEYS,
        value=st.integers(),
        cost=st.integers(0, 3 * ENTRY_BYTES) | st.just(9 * ENTRY_BYTES),
        fresh=st.integers(0, 9),
        usable=st.integers(0, 20),
        age=st.just(0) | st.integers(0, 22),
    )
    def put(self, key: str, value: int, cost: int, fresh: int, usable: int, age: int):
        self._forget(key)
        kept = self.cache.put(key, value, cost_bytes=cost, fresh_s=fresh, usable_s=usable, age_s=age)
        assert kept == (usable > age and cost + ENTRY_BYTES <= self.budget), "kept is what is usable at all and fits at all"
        if kept:
            said_at = self.clock.now - age
            self.model.append((key, value, cost + ENTRY_BYTES, said_at + min(fresh, usable), said_at + usable))
        self._evict()

    @rule(key=KEYS)
    def get(self, key: str):
        entry = self.cache.get(key)
        held = next((row for row in self.model if row[0] == key), None)
        if held is None or held[4] <= self.clock.now:
            self._forget(key)
            assert entry is None, "what is past its second deadline, or was never put, is not there"
            return
        assert entry is not None
        assert (entry.value, entry.fresh_until, entry.usable_until) == (held[1], held[3], held[4])
        assert entry.stored_at <= self.clock.now < entry.usable_until
        assert entry.fresh_until <= entry.usable_until
        self._forget(key)
        self.model.append(held)

    @rule(key=KEYS, by=st.integers(0, ENTRY_BYTES))
    def grow(self, key: str, by: int):
        entry = self.cache.get(key)
        self.get(key)
        if entry is None:
            return
        self.cache.grow(key, entry, by)
        name, value, cost, fresh, usable = self.model.pop()
        self.model.append((name, value, cost + by, fresh, usable))
        self._evict()

    @rule(key=KEYS)
    def drop(self, key: str):
        assert self.cache.drop(key) == any(row[0] == key for row in self.model)
        self._forget(key)

    @rule(keys=st.sets(KEYS))
    def purge(self, keys: set[str]):
        assert finish(self.cache.purging(lambda key, _: key in keys)) == sum(row[0] in keys for row in self.model)
        for key in keys:
            self._forget(key)

    @rule(entries=st.integers(1, 8))
    def resize(self, entries: int):
        self.budget = entries * ENTRY_BYTES
        self.cache.resize(self.budget)
        self._evict()

    @rule(seconds=st.integers(0, 6))
    def time_passes(self, seconds: int):
        self.clock.advance(seconds)

    @invariant()
    def what_goes_first_is_what_was_used_longest_ago(self):
        assert list(self.cache._entries) == [row[0] for row in self.model]

    @invariant()
    def bytes_are_what_is_held_and_within_the_budget(self):
        assert self.cache.bytes == sum(row[2] for row in self.model) <= self.budget
        assert len(self.cache) == len(self.model)

    def _forget(self, key: str) -> None:
        self.model = [row for row in self.model if row[0] != key]

    def _evict(self) -> None:
        while sum(row[2] for row in self.model) > self.budget:
            self.model.pop(0)


CacheMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestCacheMachine = CacheMachine.TestCase
