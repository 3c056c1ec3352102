"""A child that remembers a million answers, and then goes on: `python -m tests.soak.keys KEYS SECONDS`.

Sizes are drawn from what answers look like (lognormal, around 2 KB), and twice they change for all, as when definitions grow.
Every tenth time an answer is looked up that was remembered lately, as in an outage. What is resident is said before, on the
way and at the end, one JSON line each.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from random import Random

import mmh3

from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName
from proxy.clock import SystemClock
from proxy.config.settings import Policy
from proxy.lastgood.memory import Memory
from proxy.lastgood.trim import Trimming, allocator_trim
from tests.bench.lines import say
from tests.soak.resident import BUDGET_BYTES, resident_bytes

SAMPLES = 100
SCALES = (1.0, 3.0, 1.5)
"""How large answers are, by the third of the keys."""
TEXT = bytes(Random(1).randrange(32, 127) for _ in range(300_000))


def main(keys: int, seconds: float) -> None:
    """Remember, look up, mark, and say what that takes."""
    memory, policy, rng = Memory(max_bytes=BUDGET_BYTES, clock=SystemClock()), Policy(), Random(7)
    trimming = Trimming(memory.cache, trim=allocator_trim())
    recent: deque[Key] = deque(maxlen=1_000)
    say({"idle": resident_bytes("self")})
    started, done = time.monotonic(), 0
    every = min(seconds / SAMPLES, 1.0)
    next_sample = 0.0
    while done < keys or time.monotonic() - started < seconds:
        for _ in range(500):
            done += 1
            key = key_of(done)
            start = rng.randrange(1_000)
            size = rng.lognormvariate(7.6, 0.8) * SCALES[min(done * len(SCALES) // keys, len(SCALES) - 1)]
            body = TEXT[start : start + int(min(size, 250_000))]
            memory.remember(key, Whole(200, "application/json", body), project=ProjectName("web"), policy=policy)
            recent.append(key)
            if done % 10 == 0:
                look_up(memory, recent[rng.randrange(len(recent))])
        elapsed = time.monotonic() - started
        if elapsed >= next_sample:
            next_sample = elapsed + every
            asyncio.run(trimming.look())  # a minute of a busy worker's, in a second
            say({"at_s": elapsed, "resident": resident_bytes("self"), "keys": done})
    say({"keys": done, "entries": len(memory.cache), "bytes": memory.cache.bytes})


def key_of(number: int) -> Key:
    material = b'{"distinct_id":"user-%d","person_properties":{"plan":"pro","seats":%d},"token":"phc_soak"}' % (number, number)
    return Key(mmh3.hash64(material)[0], material)


def look_up(memory: Memory, key: Key) -> None:
    """Use an answer as an outage does: with its marked twin, which counts as well."""
    entry = memory.get(key)
    if entry is not None:
        memory.twin(key, entry, lambda body: body + b" ")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
