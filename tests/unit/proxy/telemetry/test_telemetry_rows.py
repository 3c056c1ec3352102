"""Every row can be read from a line as it is built, and what a line counts arrives on its slate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from proxy.answer.answer import Failure, Trouble
from proxy.config.settings import Policy
from proxy.telemetry.metrics import table
from proxy.telemetry.metrics.collecting import Collecting, Row
from proxy.telemetry.metrics.slate import private_slate
from proxy.telemetry.metrics.supervisor_rows import store_rows, supervisor_rows
from proxy.telemetry.metrics.worker_rows import worker_rows
from tests.fakes.clock import FakeClock
from tests.fakes.line import FakeLine
from tests.fakes.tier import FakeTier
from tests.fakes.transport import FakeTransport

EDGE: Any = SimpleNamespace(connections=3, refused=1)
HOT = {
    table.ANSWERS, table.AGES, table.DURATIONS, table.REFUSALS, table.OTHERS, table.EXCHANGES, table.EXCHANGE_DURATIONS,
    table.LOOP_LAG, table.OVERFLOWS,
}  # fmt: skip
"""Written where things happen, not collected."""
SUPERVISORS = {
    table.DEFINITIONS_AGE, table.DEFINITIONS_VERSION, table.POLL_FAILURES, table.FLEET_ROLE, table.FLEET_TAKEOVERS,
    table.WORKERS, table.WORKERS_WANTED, table.FRESH,
    table.DEGRADED, table.PUSHES, table.STORE_BYTES, table.STORE_ENTRIES, table.STORE, table.STORE_TROUBLE, table.STORE_OWED,
}  # fmt: skip


def values(row: Row) -> dict[tuple[str, ...], float]:
    return {labels: float(value) for labels, value in row.read().items()}


async def test_every_row_can_be_read_and_has_the_labels_of_its_instrument() -> None:
    fake = FakeLine()
    for row in worker_rows(fake.line, EDGE):
        for labels in row.read():
            assert len(labels) == len(row.instrument.labels), row.instrument.name
            assert all(isinstance(label, str) for label in labels), row.instrument.name


async def test_every_instrument_is_somebodys() -> None:
    collected = {row.instrument for row in worker_rows(FakeLine().line, EDGE)}
    assert collected | HOT | SUPERVISORS == set(table.TABLE)
    assert collected & HOT == set()


async def test_what_a_line_counts_arrives_under_its_names() -> None:
    transport = FakeTransport()
    fake = FakeLine(policy=Policy(fresh_s=5), transport=transport)
    rows = {row.instrument: row for row in worker_rows(fake.line, EDGE)}
    transport.say = Failure(trouble=Trouble.TIMEOUT)
    for _ in range(12):
        await fake.ask({"token": "t", "distinct_id": "a"})
    assert values(rows[table.BREAKER])["default", "open"] == 1.0
    assert sum(values(rows[table.TRIPS]).values()) == 1.0
    assert values(rows[table.TRANSITIONS])["default", "closed", "open"] == 1.0
    assert values(rows[table.BREAKER_REFUSED])["default", "open"] > 0
    assert values(rows[table.CONNECTIONS]) == {(): 3.0}


async def test_what_a_tier_tells_of_itself_is_shown_by_its_name() -> None:
    told = {"is_there": True, "trips": 2, "waiting_bytes": 7, "written": 5}
    fake = FakeLine(tiers=[FakeTier("redis", report=told)])
    fake.line.tiers.forgotten = 4
    rows = {row.instrument: row for row in worker_rows(fake.line, EDGE)}
    assert values(rows[table.TIERS_THERE]) == {("redis",): 1.0}
    assert values(rows[table.TIER_TRIPS]) == {("redis",): 2.0}
    assert values(rows[table.TIERS_WAITING])["redis",] == 7.0
    events = values(rows[table.TIERS])
    assert (events["all", "forgotten"], events["redis", "written"]) == (4.0, 5.0)


def collecting(rows: list[Row]) -> tuple[Collecting, Any]:
    slate = private_slate()
    return Collecting(slate, rows, clock=FakeClock(), log=Complaints()), slate  # type: ignore[arg-type]


class Complaints:
    def __init__(self) -> None:
        self.said: list[str] = []

    def exception(self, event: str, **fields: Any) -> None:
        self.said.append(f"{event} {fields['instrument']}")


def test_a_counter_that_starts_again_goes_on_from_where_it_stood() -> None:
    told = {("fresh",): 5.0}
    mine, slate = collecting([Row(table.SAVED, lambda: told)])
    for count in (5.0, 7.0, 2.0, 2.0):
        told["fresh",] = count
        mine.collect()
    assert slate.cells[slate.place(table.SAVED, ("fresh",))] == 5 + 2 + 2


def test_a_counter_is_there_before_it_has_counted_anything() -> None:
    mine, slate = collecting([Row(table.SAVED, lambda: {("fresh",): 0.0})])
    mine.collect()
    assert (table.SAVED.name, ("fresh",)) in dict(slate.places())


def test_a_row_that_fails_is_told_once_and_costs_only_itself() -> None:
    def broken() -> dict[tuple[str, ...], float]:
        raise ZeroDivisionError

    mine, slate = collecting([Row(table.TRIPS, broken), Row(table.CACHE_BYTES, lambda: {(): 9.0})])
    mine.collect()
    mine.collect()
    assert mine._log.said == ["not_collected holdfast.breaker.trips"]  # type: ignore[attr-defined]
    assert slate.cells[slate.place(table.CACHE_BYTES)] == 9.0


def test_the_supervisor_tells_of_definitions_and_workers() -> None:
    report = {
        "shop": {"age_s": 12.5, "failures": 2, "held": {"generation": 7}, "fleet": {"role": "leader", "takeovers": 3}},
        "new": {"age_s": None, "failures": 0, "held": None},
    }
    rows = {r.instrument: r for r in supervisor_rows(definitions=lambda: report, workers=lambda: 1, wanted=lambda: 2)}
    assert values(rows[table.DEFINITIONS_AGE]) == {("shop",): 12.5}
    assert values(rows[table.POLL_FAILURES]) == {("shop",): 2.0, ("new",): 0.0}
    assert values(rows[table.DEFINITIONS_VERSION]) == {("shop",): 7.0}
    assert (values(rows[table.WORKERS]), values(rows[table.WORKERS_WANTED])) == ({(): 1.0}, {(): 2.0})
    assert values(rows[table.FLEET_ROLE]) == {("shop", "leader"): 1.0}
    assert values(rows[table.FLEET_TAKEOVERS]) == {("shop",): 3.0}


def test_what_the_stores_writer_tells_is_shown_and_nothing_where_there_is_none() -> None:
    report = {
        "trouble": "disk_full", "answers": 3, "bytes": 4096, "written": 7, "waiting_bytes": 0, "dropped": 2, "forgotten": 1,
        "set_aside": 1, "purges_owed": 0,
    }  # fmt: skip
    shown = {row.instrument: values(row) for row in store_rows(lambda: report)}
    assert shown == {
        table.STORE_BYTES: {(): 4096.0},
        table.STORE_ENTRIES: {(): 3.0},
        table.STORE: {("written",): 7.0, ("dropped",): 2.0, ("forgotten",): 1.0, ("set_aside",): 1.0},
        table.STORE_TROUBLE: {("disk_full",): 1.0},
        table.STORE_OWED: {(): 0.0},
    }
    assert [values(row) for row in store_rows(lambda: None)] == [{}] * 5
    assert {row.instrument: values(row) for row in store_rows(lambda: report | {"trouble": None})}[table.STORE_TROUBLE] == {}
