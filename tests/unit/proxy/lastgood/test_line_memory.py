from __future__ import annotations

import gc
import tracemalloc

from proxy.answer.answer import Whole
from proxy.answer.request import ProjectName
from proxy.config.settings import Policy
from proxy.lastgood.cache import LOOKED_AT_ONCE, Cache
from proxy.lastgood.memory import Memory
from proxy.lastgood.tiers.person import meant_by
from proxy.lastgood.tiers.record import Purge
from reference.steps import finish
from tests.fakes.clock import FakeClock
from tests.fakes.requests import PROJECT, key

POLICY = Policy(fresh_s=10)


def answer(n: int, size: int) -> Whole:
    return Whole(200, "application/json", b"%d" % n + b"x" * size)


def test_the_bytes_counted_are_the_bytes_held() -> None:
    for size in (0, 300, 5_000):
        gc.collect()
        tracemalloc.start()
        memory = Memory(max_bytes=1 << 30, clock=FakeClock())
        for n in range(3_000):
            memory.remember(key(f"user-{n}"), answer(n, size), project=PROJECT, policy=POLICY)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert 0.8 * held <= memory.cache.bytes <= 1.25 * held, size
        del memory


def test_the_budget_is_kept() -> None:
    memory = Memory(max_bytes=100_000, clock=FakeClock())
    for n in range(1_000):
        memory.remember(key(f"user-{n}"), answer(n, 5_000), project=PROJECT, policy=POLICY)
    assert memory.cache.bytes <= 100_000
    assert memory.cache.evicted == 1_000 - len(memory.cache)
    assert memory.get(key("user-999")) is not None


def test_the_marked_twin_is_made_once_and_counted() -> None:
    memory = Memory(max_bytes=1 << 20, clock=FakeClock())
    memory.remember(key(), answer(1, 100), project=PROJECT, policy=POLICY)
    entry = memory.get(key())
    assert entry is not None
    before, made = memory.cache.bytes, []

    def mark(body: bytes) -> bytes:
        made.append(body)
        return body + b"!"

    assert memory.twin(key(), entry, mark) == memory.twin(key(), entry, mark) == entry.value.whole.body + b"!"
    assert len(made) == 1
    assert memory.cache.bytes - before > 100


def test_a_purge_forgets_one_project_or_one_person_or_all() -> None:
    memory = Memory(max_bytes=1 << 20, clock=FakeClock())
    for n in range(4):
        memory.remember(key(str(n)), answer(n, 1), project=ProjectName("even" if n % 2 == 0 else "odd"), policy=POLICY)
    assert finish(memory.purging(meant_by(Purge("odd")))) == 2
    assert memory.get(key("1")) is None
    assert memory.get(key("2")) is not None
    assert finish(memory.purging(meant_by(Purge(None, "0")))) == 1
    assert memory.get(key("0")) is None
    assert finish(memory.purging(meant_by(Purge()))) == 1
    assert memory.cache.bytes == 0


def test_nothing_is_kept_that_no_policy_could_use() -> None:
    memory = Memory(max_bytes=1 << 20, clock=FakeClock())
    assert not memory.remember(key(), answer(1, 1), project=PROJECT, policy=Policy(fresh_s=0, stale_if_error_s=0))


def test_a_purge_of_very_many_pauses_between_a_few_and_leaves_what_is_said_meanwhile() -> None:
    clock = FakeClock()
    cache: Cache[int, str] = Cache(max_bytes=1 << 20, clock=clock)

    def put(number: int, value: str) -> None:
        cache.put(number, value, cost_bytes=10, fresh_s=1, usable_s=100)

    for number in range(3 * LOOKED_AT_ONCE):
        put(number, "before")
    steps = cache.purging(lambda _, value: value == "before")
    next(steps)
    assert len(cache) == 2 * LOOKED_AT_ONCE
    clock.advance(1)
    put(0, "before")
    put(3 * LOOKED_AT_ONCE - 1, "before")
    assert finish(steps) == 3 * LOOKED_AT_ONCE - 1
    assert len(cache) == 2
