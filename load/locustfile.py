"""What Locust runs, in a process of its own: importing Locust patches the process, so nothing else may import this file.

A user is one person with one distinct id, of the file of right answers where there is one, and connections of their own. Each
arrival is sent in a greenlet of its own, so that a slow answer delays none after it, and is timed from its intended instant.
"""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import gevent
import msgspec
from gevent.pool import Group
from hdrh.histogram import HdrHistogram
from locust import FastHttpUser, events, task
from locust.exception import StopUser

from load.arrivals import arrivals
from load.expected import entries, verdict
from load.outcome import PERCENTILES, Outcome
from load.plan import PLAN_VARIABLE, Plan

LONGEST_US = 60_000_000
PLAN = msgspec.json.decode(os.environ[PLAN_VARIABLE], type=Plan)


class Record:
    """All answers of the run."""

    def __init__(self) -> None:
        self.latency_us = HdrHistogram(1, LONGEST_US, 3)
        self.failures: Counter[str] = Counter()
        self.started: float | None = None
        self.active = PLAN.users

    def add(self, latency_s: float, failure: str | None) -> None:
        """Count one answer."""
        self.latency_us.record_value(min(LONGEST_US, max(1, round(latency_s * 1e6))))
        if failure is not None:
            self.failures[failure] += 1

    def outcome(self) -> Outcome:
        """Sum up."""
        took_s = time.monotonic() - (self.started or time.monotonic())
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Outcome(
            requests=self.latency_us.get_total_count(),
            failures=dict(self.failures),
            latency_ms={name: self.latency_us.get_value_at_percentile(name) / 1000 for name in PERCENTILES},
            took_s=took_s,
            generator_cpu=(used.ru_utime + used.ru_stime - CPU_AT_IMPORT_S) / max(took_s, 0.001),
        )


CPU_AT_IMPORT_S = time.process_time()
RECORD = Record()
EXPECTED = entries(Path(PLAN.expect)) if PLAN.expect else []
NOBODY: dict[str, Any] = {"request": {}}


class Person(FastHttpUser):
    """Asks for all flags, again and again, at the times its schedule says."""

    numbers: ClassVar[count[int]] = count()
    insecure = False
    concurrency = 1000
    max_redirects = 0
    max_retries = 0
    connection_timeout = 10.0
    network_timeout = 10.0

    @task
    def follow_the_schedule(self) -> None:
        """Send every arrival of this user, wait for the last answer, and leave; the last user out ends the run."""
        number, sending = next(self.numbers), Group()
        RECORD.started = RECORD.started or time.monotonic()
        for at in arrivals(number, rate=PLAN.rate, users=PLAN.users, duration_s=PLAN.duration_s, seed=PLAN.seed):
            intended = RECORD.started + at
            gevent.sleep(max(0.0, intended - time.monotonic()))
            sending.start(gevent.Greenlet(self.ask, number, intended))
        sending.join()
        RECORD.active -= 1
        if not RECORD.active:
            self.environment.runner.quit()
        raise StopUser

    def ask(self, number: int, intended: float) -> None:
        """Send one request and record what came of it."""
        entry = EXPECTED[number % len(EXPECTED)] if EXPECTED else NOBODY
        request = {"distinct_id": f"load-{number}", "groups": {}, "person_properties": {}, **entry["request"]}
        answer: Any = self.client.post("/flags/?v=2", json={"token": PLAN.token, **request})
        took_s = time.monotonic() - intended
        failure = None if answer.status_code == 200 else str(answer.status_code or type(answer.error).__name__)  # noqa: PLR2004
        RECORD.add(took_s, failure or (verdict(entry, _decoded(answer.content)) if EXPECTED else None))


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def write_outcome(**_: Any) -> None:
    """Leave the outcome where the parent looks for it."""
    Path(PLAN.outcome).write_bytes(msgspec.json.encode(RECORD.outcome()))
