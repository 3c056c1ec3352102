"""Slates keep counts through deaths, are read while they are written, and run full without harm."""

from __future__ import annotations

import math
import os
import subprocess
import sys

from proxy.telemetry.metrics import slate as slates
from proxy.telemetry.metrics.instrument import Instrument, Kind, Merge
from proxy.telemetry.metrics.prometheus import text
from proxy.telemetry.metrics.slate import Ground, make_ground, private_slate
from proxy.telemetry.metrics.snapshot import SILENT_S, snapshot
from proxy.telemetry.metrics.table import (
    AGE_BOUNDS,
    AGES,
    ANSWERS,
    BY_NAME,
    CACHE_BYTES,
    DEFINITIONS_AGE,
    DURATION_BOUNDS,
    LOOP_LAG,
    TABLE,
)

LABELS = ("shop", "fresh", "ok")
COUNTER = """
import sys
from proxy.telemetry.metrics.slate import Ground
from proxy.telemetry.metrics.table import ANSWERS
slate = Ground(int(sys.argv[1])).claim(0)
at = slate.place(ANSWERS, ("shop", "fresh", "ok"))
for _ in range(int(sys.argv[2])):
    slate.cells[at] += 1
print(int(slate.cells[at]), flush=True)
sys.stdin.read(1)
"""


def counting(descriptor: int, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COUNTER, str(descriptor), str(times)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[descriptor],
    )  # fmt: skip


def answers(ground: Ground) -> dict[tuple[str, ...], list[float]]:
    found = {measured.instrument.name: measured.series for measured in snapshot(ground, now=0.0, process=str)}
    return dict(found.get("holdfast.answers", {}))


def test_a_killed_process_loses_no_count_and_its_successor_goes_on_from_there() -> None:
    descriptor = make_ground(1)
    ground = Ground(descriptor)
    said = []
    for _ in range(2):
        child = counting(descriptor, 1000)
        assert child.stdout is not None
        said.append(int(child.stdout.readline()))
        child.kill()
        child.communicate()
    assert said == [1000, 2000]
    assert answers(ground) == {LABELS: [2000.0]}
    os.close(descriptor)


def test_two_lives_of_one_worker_that_overlap_do_not_write_to_one_slate() -> None:
    descriptor = make_ground(1)
    ground = Ground(descriptor)
    both = [counting(descriptor, 300) for _ in range(2)]
    assert [child.stdout is not None and int(child.stdout.readline()) for child in both] == [300, 300]
    assert answers(ground) == {LABELS: [600.0]}
    for child in both:
        child.communicate("x")
    os.close(descriptor)


def test_the_same_series_has_one_place() -> None:
    slate = private_slate()
    assert slate.place(ANSWERS, LABELS) == slate.place(ANSWERS, LABELS) != slate.place(ANSWERS, ("shop", "stale", "ok"))


def test_a_histogram_takes_a_cell_for_each_bucket_and_one_for_the_sum() -> None:
    slate = private_slate()
    first, second = slate.place(AGES, ("a", "fresh")), slate.place(AGES, ("b", "fresh"))
    assert second - first == len(AGE_BOUNDS) + 2


def test_a_full_slate_counts_further_series_as_others_and_says_so() -> None:
    slate = private_slate()
    places = {slate.place(ANSWERS, (f"project-{number}", "fresh", "ok")) for number in range(20_000)}
    assert slate.overflows > 0
    assert max(places) < len(slate.cells)
    assert slate.place(ANSWERS, ("one-more", "fresh", "ok")) == slate.place(ANSWERS, ("other", "other", "other"))


def test_a_series_without_any_room_is_counted_where_nobody_reads() -> None:
    descriptor = make_ground(0)
    ground = Ground(descriptor)
    slate = ground.claim(0)
    for number in range(20_000):
        slate.cells[slate.place(ANSWERS, (f"project-{number}", "fresh", "ok"))] += 1
    slate.cells[slate.place(AGES, ("shop", "fresh"))] += 1
    assert slate.place(AGES, ("shop", "fresh")) == 0
    names = {measured.instrument.name for measured in snapshot(ground, now=0.0, process=str)}
    assert names == {"holdfast.answers"}
    os.close(descriptor)


def test_gauges_speak_only_while_their_process_does() -> None:
    descriptor = make_ground(1)
    ground = Ground(descriptor)
    slate = ground.claim(0)
    slate.show(CACHE_BYTES, {(): 7.0})
    slate.beat(100.0)
    assert [m.series for m in snapshot(ground, now=100.0 + SILENT_S, process=str)] == [{(): [7.0]}]
    assert snapshot(ground, now=100.1 + SILENT_S, process=str) == []
    os.close(descriptor)


def test_a_gauge_that_is_not_shown_again_is_gone() -> None:
    slate = private_slate()
    slate.show(LOOP_LAG, {(): 1.0})
    slate.show(LOOP_LAG, {})
    assert math.isnan(slate.cells[slate.place(LOOP_LAG)])


def test_processes_are_added_up_or_kept_apart_as_the_instrument_says() -> None:
    descriptor = make_ground(1)
    ground = Ground(descriptor)
    for index in (0, 1):
        slate = ground.claim(index)
        slate.cells[slate.place(ANSWERS, LABELS)] += 2 + index
        slate.show(CACHE_BYTES, {(): 10.0})
        slate.show(LOOP_LAG, {(): float(index)})
        slate.show(DEFINITIONS_AGE, {("shop",): float(index)})
        slate.beat(1.0)
    found = {m.instrument.name: (m.names, m.series) for m in snapshot(ground, now=1.0, process=lambda index: f"p{index}")}
    assert found["holdfast.answers"] == (("project", "source", "outcome"), {LABELS: [5.0]})
    assert found["holdfast.memory.size"] == ((), {(): [20.0]})
    assert found["holdfast.loop.lag"] == (("process",), {("p0",): [0.0], ("p1",): [1.0]})
    assert found["holdfast.definitions.age"] == (("project",), {("shop",): [1.0]})
    os.close(descriptor)


def test_what_another_release_left_behind_is_not_shown() -> None:
    descriptor = make_ground(0)
    ground = Ground(descriptor)
    slate = ground.claim(0)
    slate.place(Instrument(name="holdfast.gone", kind=Kind.COUNTER, unit="1", says="No more."))
    slate.place(Instrument(name="holdfast.answers", kind=Kind.HISTOGRAM, unit="s", says="Once.", bounds=(1.0,)))
    assert snapshot(ground, now=0.0, process=str) == []
    os.close(descriptor)


def test_the_exposition_is_what_prometheus_expects() -> None:
    descriptor = make_ground(0)
    ground = Ground(descriptor)
    slate = ground.claim(0)
    slate.cells[slate.place(ANSWERS, ('we"ird\\one\n', "fresh", "ok"))] += 3
    at = slate.place(AGES, ("shop", "stale"))
    slate.cells[at] += 1
    slate.cells[at + len(AGE_BOUNDS)] += 1
    slate.cells[at + len(AGE_BOUNDS) + 1] += 0.5
    lines = text(snapshot(ground, now=0.0, process=str)).splitlines()
    assert lines[:3] == [
        f"# HELP holdfast_answers_total {ANSWERS.says}",
        "# TYPE holdfast_answers_total counter",
        'holdfast_answers_total{project="we\\"ird\\\\one\\n",source="fresh",outcome="ok"} 3',
    ]
    buckets = [line for line in lines if "_bucket" in line]
    assert buckets[0] == 'holdfast_answer_age_seconds_bucket{project="shop",source="stale",le="1"} 1'
    assert buckets[-1] == 'holdfast_answer_age_seconds_bucket{project="shop",source="stale",le="+Inf"} 2'
    assert 'holdfast_answer_age_seconds_sum{project="shop",source="stale"} 0.5' in lines
    assert 'holdfast_answer_age_seconds_count{project="shop",source="stale"} 2' in lines
    os.close(descriptor)


def test_every_name_is_unique_and_in_both_conventions() -> None:
    assert len(BY_NAME) == len(TABLE) == len({instrument.prometheus for instrument in TABLE})
    for instrument in TABLE:
        assert instrument.prometheus.endswith("_total") == (instrument.kind is Kind.COUNTER)
        assert instrument.kind is Kind.GAUGE or instrument.merge is Merge.SUM
        assert instrument.name.startswith(("holdfast.", "http."))
        assert "\n" not in instrument.says
    assert list(DURATION_BOUNDS) == sorted(DURATION_BOUNDS)


def test_a_slate_uses_little_memory_before_it_is_used() -> None:
    assert slates.SLATE_BYTES * slates.slates_for(2) <= 4 * 1024 * 1024
