"""Every instrument there is, by the question it answers. docs/operating.md lists them all."""

from __future__ import annotations

from typing import Final

from .instrument import Instrument, Kind, Merge

DURATION_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds; OpenTelemetry's defaults are made for milliseconds and would put everything into one bucket."""
AGE_BOUNDS: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 604_800.0)


def _counter(name: str, unit: str, says: str, *labels: str) -> Instrument:
    return Instrument(name=name, kind=Kind.COUNTER, unit=unit, says=says, labels=labels)


def _gauge(name: str, unit: str, says: str, *labels: str, merge: Merge = Merge.SUM) -> Instrument:
    return Instrument(name=name, kind=Kind.GAUGE, unit=unit, says=says, labels=labels, merge=merge)


def _histogram(name: str, says: str, *labels: str, bounds: tuple[float, ...] = DURATION_BOUNDS) -> Instrument:
    return Instrument(name=name, kind=Kind.HISTOGRAM, unit="s", says=says, labels=labels, bounds=bounds)


# --- do users get answers, from where, how old, how fast?
ANSWERS = _counter(
    "holdfast.answers",
    "{answer}",
    "Answers of the flag endpoints, by where they came from and why.",
    "project",
    "source",
    "outcome",
)
AGES = _histogram(
    "holdfast.answer.age", "Age of answers that upstream did not just give.", "project", "source", bounds=AGE_BOUNDS
)
DURATIONS = _histogram(
    "http.server.request.duration", "From a flag request's arrival to its answer.",
    "http.request.method", "http.route", "http.response.status_code", "holdfast.source",
)  # fmt: skip
REFUSALS = _counter(
    "holdfast.refusals",
    "{request}",
    "Flag requests refused before the line: no or unknown token, too large.",
    "http.response.status_code",
)
OTHERS = _counter(
    "holdfast.other.requests", "{request}", "Requests to everything but the flag endpoints.", "http.response.status_code"
)

# --- how is upstream?
EXCHANGES = _counter(
    "holdfast.exchanges", "{exchange}", "HTTP exchanges with a flag service, by how they ended.", "upstream", "outcome"
)
EXCHANGE_DURATIONS = _histogram(
    "http.client.request.duration", "Of one exchange with a flag service.",
    "holdfast.upstream", "http.response.status_code", "error.type",
)  # fmt: skip
BREAKER = _gauge(
    "holdfast.breaker.state", "{process}", "Processes whose breaker of an upstream is in a state.", "upstream", "state"
)
TRANSITIONS = _counter(
    "holdfast.breaker.transitions", "{transition}", "Changes of a breaker's state.", "upstream", "from", "to"
)
TRIPS = _counter(
    "holdfast.breaker.trips", "{trip}", "Times a breaker opened by itself, by what opened it.", "upstream", "cause"
)
BREAKER_REFUSED = _counter(
    "holdfast.breaker.refused", "{exchange}", "Exchanges not tried: a breaker was open, or on its ramp.", "upstream", "why"
)  # fmt: skip
PROJECTS_OPEN = _gauge(
    "holdfast.breaker.projects.open", "{breaker}", "Breakers of single projects that aren't closed.", "upstream"
)
ACTIVE = _gauge("holdfast.exchanges.active", "{exchange}", "Exchanges under way.", "upstream")
WAITING = _gauge("holdfast.exchanges.waiting", "{exchange}", "Requests that wait for a place to be exchanged in.", "upstream")
SHED = _counter(
    "holdfast.exchanges.shed", "{exchange}", "Exchanges not tried because every place was taken.", "upstream", "lane"
)
SLOW_LANE = _counter("holdfast.exchanges.slow_lane", "{exchange}", "Exchanges made in the slow lane.", "upstream")
RETRIES = _counter("holdfast.retries", "{retry}", "Second tries: made, or denied by the budget.", "upstream", "outcome")
P95 = _gauge("holdfast.upstream.p95", "s", "95th percentile of recent good exchanges.", "upstream", merge=Merge.MAX)

# --- what did the line decide?
RACES = _counter("holdfast.races", "{race}", "Answers that upstream was late for, by who gave them.", "winner")
LATE = _counter(
    "holdfast.exchanges.late", "{exchange}", "Exchanges that ended after their callers had been answered.", "landing"
)
RENEWALS = _counter("holdfast.renewals", "{renewal}", "Refreshes in the background of what was just given.", "outcome")
HOLDS = _counter(
    "holdfast.judge.findings", "{answer}", "Answers of upstream that the judge looked twice at.", "project", "finding"
)
CONTRADICTED = _counter("holdfast.judge.contradicted", "{hold}", "Holds that a later answer showed to be right.", "project")
REFUSALS_HELD = _counter("holdfast.hysteresis.stances", "{answer}", "What was made of refusals of keys.", "project", "stance")
QUOTA_HELD = _counter("holdfast.hysteresis.quota_held", "{answer}", "Answers over quota that were not believed yet.", "project")
MERGES = _counter("holdfast.merges", "{answer}", "Partial answers, by what became of them.", "project", "outcome")
UNDELIVERED = _counter(
    "holdfast.writes.undelivered", "{request}", "Requests that the service would have written on and did not get.", "project"
)  # fmt: skip
OVERTAKEN = _counter(
    "holdfast.answers.overtaken", "{answer}", "Good answers not remembered: something later was said or purged."
)
OBSERVED = _counter(
    "holdfast.observed.answers", "{answer}", "What projects under observation would have got.", "project", "source", "outcome"
)
DIFFERING = _counter(
    "holdfast.observed.differing", "{answer}", "Answers under observation that would have differed.", "project"
)

# --- what did the proxy save?
JOINED = _counter("holdfast.flights.joined", "{request}", "Requests that shared an exchange with another.")
SAVED = _counter("holdfast.exchanges.saved", "{exchange}", "Exchanges that answers did without.", "by")

# --- what is remembered?
CACHE_BYTES = _gauge("holdfast.memory.size", "By", "Remembered answers, overhead counted.")
CACHE_ENTRIES = _gauge("holdfast.memory.entries", "{answer}", "Remembered answers.")
EVICTED = _counter("holdfast.memory.evicted", "{answer}", "Remembered answers that made room for others.")

TIERS = _counter(
    "holdfast.tier.events", "{record}", "Records that went to and came from the tiers beyond memory.", "tier", "event"
)
TIERS_WAITING = _gauge("holdfast.tier.waiting", "By", "What waits to be written to a tier.", "tier")
TIERS_THERE = _gauge("holdfast.tier.there", "{process}", "Workers that a tier beyond this machine answers.", "tier")
TIER_TRIPS = _counter("holdfast.tier.trips", "{trip}", "Times a tier beyond this machine went away for a worker.", "tier")

STORE_BYTES = _gauge("holdfast.store.size", "By", "Answers in the store's file, its free pages left out.")
STORE_ENTRIES = _gauge("holdfast.store.entries", "{answer}", "Answers in the store's file.")
STORE = _counter(
    "holdfast.store.events", "{event}", "What the store's writer did: written, dropped, forgotten, set_aside.", "event"
)
STORE_TROUBLE = _gauge("holdfast.store.trouble", "1", "1: the store is not written now, and why.", "cause")
STORE_OWED = _gauge("holdfast.store.purges.owed", "{purge}", "Purges that the disk has not done yet.")

# --- definitions
DEFINITIONS_AGE = _gauge(
    "holdfast.definitions.age", "s", "Since upstream last confirmed the definitions in use.", "project", merge=Merge.MAX
)
DEFINITIONS_VERSION = _gauge(
    "holdfast.definitions.generation", "{generation}", "Definitions in use, by process.", "project", merge=Merge.EACH
)
POLL_FAILURES = _gauge("holdfast.definitions.poll.failing", "{poll}", "Polls in a row that failed.", "project", merge=Merge.MAX)
FLEET_ROLE = _gauge(
    "holdfast.definitions.fleet.role", "1", "1: the part that this instance has in asking for definitions.", "project", "role"
)
FLEET_TAKEOVERS = _counter(
    "holdfast.definitions.fleet.takeovers", "{takeover}", "Times this instance came to ask for all others.", "project"
)
ENDPOINT = _counter(
    "holdfast.definitions.requests", "{request}", "Requests of SDKs for definitions, by what they got.", "event"
)

# --- operators
SWITCHED = _gauge(
    "holdfast.switches.turned", "{switch}", "Switches that an operator has turned, by worker.", "switch", merge=Merge.MAX
)

# --- the processes themselves
CONNECTIONS = _gauge("holdfast.connections", "{connection}", "Open client connections.")
CONNECTIONS_REFUSED = _counter("holdfast.connections.refused", "{connection}", "Connections closed at once: too many.")
LOOP_LAG = _gauge("holdfast.loop.lag", "s", "Longest delay of the event loop in the last second.", merge=Merge.EACH)
WORKERS = _gauge("holdfast.workers", "{process}", "Workers that answer the supervisor.")
WORKERS_WANTED = _gauge("holdfast.workers.wanted", "{process}", "Workers that there should be.")
FRESH = _gauge("holdfast.fresh", "1", "1: everything that is kept up to date is; 0: something is stale.")
DEGRADED = _gauge(
    "holdfast.degraded.since", "s", "Since when, in Unix time, answers come from another source than they should.", "reason"
)

# --- telemetry itself
SPANS = _counter("holdfast.telemetry.spans", "{span}", "Spans by what became of them.", "fate")
PUSHES = _counter("holdfast.telemetry.pushes", "{push}", "Pushes of metrics and spans to the collector.", "signal", "outcome")
OVERFLOWS = _counter("holdfast.telemetry.overflows", "{series}", "Series that found no room and are counted as `other`.")

TABLE: Final[tuple[Instrument, ...]] = tuple(each for each in list(globals().values()) if isinstance(each, Instrument))
BY_NAME: Final = {each.name: each for each in TABLE}
