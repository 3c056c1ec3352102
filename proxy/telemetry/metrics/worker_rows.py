"""What a worker's objects count, and under which instrument it is shown: one line each, in the table's order.

A new counter anywhere in the line is a row in `table`, a row here, and a line in docs/operating.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from proxy.answer.answer import Source
from proxy.upstream.breaker.state import State

from . import table
from .collecting import Row, Values

if TYPE_CHECKING:
    from proxy.edge.server import EdgeServer
    from proxy.upstream.origin import Origin
    from proxy.worker import Line


TIER_EVENTS: Final = frozenset({
    "recalled", "missed", "unauthentic", "undated", "forgotten", "dropped", "unchanged", "read",
    "found", "unknown", "written", "refused", "oversized", "late", "outdated", "purged", "shed", "read_failures", "sent",
})  # fmt: skip
"""Of what a tier reports, the counters."""


def worker_rows(line: Line, edge: EdgeServer) -> list[Row]:
    """Return every row of one worker."""
    asked, cache = line.asked, line.memory.cache

    def each(read: Callable[[Origin], float]) -> Callable[[], Values]:
        return lambda: {(name,): float(read(origin)) for name, origin in line.origins.items()}

    def split(read: Callable[[Origin], Mapping[Any, float]]) -> Callable[[], Values]:
        return lambda: {
            (name, *_words(key)): float(value) for name, origin in line.origins.items() for key, value in read(origin).items()
        }

    return [
        Row(table.BREAKER, split(_states)),
        Row(table.TRANSITIONS, split(lambda origin: origin.guard.gate.transitions)),
        Row(table.TRIPS, split(lambda origin: origin.guard.gate.causes)),
        Row(table.BREAKER_REFUSED, split(_kept_back)),
        Row(table.PROJECTS_OPEN, each(lambda origin: sum(not gate.is_idle for _, gate in origin.guard.projects.items()))),
        Row(table.ACTIVE, each(lambda origin: origin.bulkhead.taken + origin.lane.taken)),
        Row(table.WAITING, each(lambda origin: origin.bulkhead.waiting)),
        Row(table.SHED, split(lambda origin: {"ordinary": origin.bulkhead.refused, "slow": origin.lane.refused})),
        Row(table.SLOW_LANE, each(lambda origin: origin.lane.used)),
        Row(table.RETRIES, split(lambda origin: {"made": origin.budget.spent, "denied": origin.budget.denied})),
        Row(table.P95, each(lambda origin: origin.p95_s())),
        Row(table.RACES, lambda: _counted(asked.race.won)),
        Row(table.LATE, lambda: _counted(asked.race.late)),
        Row(table.RENEWALS, lambda: _renewals(line)),
        Row(table.HOLDS, lambda: _counted(line.judgement.judge.findings)),
        Row(table.CONTRADICTED, lambda: _counted(line.judgement.judge.contradicted)),
        Row(table.REFUSALS_HELD, lambda: _counted(line.judgement.hysteresis.stances)),
        Row(table.QUOTA_HELD, lambda: _counted(line.judgement.quota.held)),
        Row(table.MERGES, lambda: _counted(getattr(asked.mending, "outcomes", {}))),
        Row(table.UNDELIVERED, lambda: _counted(asked.trip.undelivered)),
        Row(table.OVERTAKEN, lambda: _one(asked.trip.overtaken)),
        Row(table.OBSERVED, lambda: _observed(line)),
        Row(table.DIFFERING, lambda: _counted(line.observed.differing)),
        Row(table.JOINED, lambda: _one(asked.flight.joined)),
        Row(table.SAVED, lambda: _saved(line)),
        Row(table.CACHE_BYTES, lambda: _one(cache.bytes)),
        Row(table.CACHE_ENTRIES, lambda: _one(len(cache))),
        Row(table.EVICTED, lambda: _one(cache.evicted)),
        Row(table.TIERS, lambda: _tiers(line, TIER_EVENTS)),
        Row(table.TIERS_WAITING, lambda: _tier_figure(line, "waiting_bytes")),
        Row(table.TIERS_THERE, lambda: _tier_figure(line, "is_there")),
        Row(table.TIER_TRIPS, lambda: _tier_figure(line, "trips")),
        Row(table.ENDPOINT, lambda: _counted(line.keys.meter.report())),
        Row(table.SWITCHED, lambda: _counted(Counter(turn["switch"] for turn in line.switches.report()))),
        Row(table.CONNECTIONS, lambda: _one(edge.connections)),
        Row(table.CONNECTIONS_REFUSED, lambda: _one(edge.refused)),
        Row(table.SPANS, lambda: _spans(line)),
    ]


def _one(value: float) -> Values:
    return {(): float(value)}


def _counted(counter: Mapping[Any, int]) -> Values:
    return {_words(key): float(count) for key, count in counter.items()}


def _words(key: Any) -> tuple[str, ...]:
    """Return a counter's key as labels: text and enums as they are, nothing as empty."""
    parts: Iterable[Any] = key if isinstance(key, tuple) else (key,)
    return tuple("" if part is None else str(part) for part in parts)


def _states(origin: Origin) -> Mapping[str, float]:
    own = origin.guard.gate.state
    return {str(state): float(state is own) for state in State}


def _kept_back(origin: Origin) -> Mapping[str, float]:
    gate = origin.guard.gate
    return {"open": gate.refused, "ramp": gate.held_back}


def _renewals(line: Line) -> Values:
    renewal = line.asked.renewal
    return {("begun",): renewal.begun, ("failed",): renewal.failed, ("put_off",): renewal.put_off}


def _observed(line: Line) -> Values:
    return {
        (project, str(source), "ok" if trouble is None else str(trouble)): float(count)
        for (project, source, trouble), count in line.observed.answers.items()
    }


def _saved(line: Line) -> Values:
    """Exchanges not made: what was at hand, and what was shared."""
    sources = line.watch.meter.without_asking()
    return {("fresh",): sources[Source.FRESH], ("local",): sources[Source.LOCAL], ("joined",): float(line.asked.flight.joined)}


def _tiers(line: Line, events: frozenset[str]) -> Values:
    """Read what the tiers tell of themselves: together under `all`, and each by its name."""
    report = line.tiers.report()
    each = {"all": report, **{name: told for name, told in report.items() if isinstance(told, dict)}}
    return {(tier, event): float(told[event]) for tier, told in each.items() for event in events & told.keys()}


def _tier_figure(line: Line, name: str) -> Values:
    return {(tier,): value for (tier, _), value in _tiers(line, frozenset({name})).items()}


def _spans(line: Line) -> Values:
    tracer = line.watch.tracer
    if tracer is None:
        return {}
    return _counted({**tracer.post.fates, "passed_over": tracer.draw.passed_over})
