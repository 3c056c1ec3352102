"""What the supervisor's objects know, and under which instrument it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from . import table
from .collecting import Row, Values

STORE_EVENTS: Final = ("written", "dropped", "forgotten", "set_aside")


def supervisor_rows(
    *, definitions: Callable[[], Mapping[str, Any]], workers: Callable[[], int], wanted: Callable[[], int]
) -> list[Row]:
    """Return the supervisor's rows.

    Args:
        definitions: How every project's definitions stand (`Upkeep.report`).
        workers: How many answer.
        wanted: How many there should be.
    """

    def told(name: str) -> Values:
        found = {(project,): report.get(name) for project, report in definitions().items()}
        return {labels: float(value) for labels, value in found.items() if value is not None}

    def generations() -> Values:
        return {
            (project,): float(report["held"]["generation"]) for project, report in definitions().items() if report.get("held")
        }

    def fleets() -> Mapping[str, Mapping[str, Any]]:
        return {project: report["fleet"] for project, report in definitions().items() if "fleet" in report}

    return [
        Row(table.DEFINITIONS_AGE, lambda: told("age_s")),
        Row(table.DEFINITIONS_VERSION, generations),
        Row(table.POLL_FAILURES, lambda: told("failures")),
        Row(table.FLEET_ROLE, lambda: {(project, str(fleet["role"])): 1.0 for project, fleet in fleets().items()}),
        Row(table.FLEET_TAKEOVERS, lambda: {(project,): float(fleet["takeovers"]) for project, fleet in fleets().items()}),
        Row(table.WORKERS, lambda: {(): float(workers())}),
        Row(table.WORKERS_WANTED, lambda: {(): float(wanted())}),
    ]


def store_rows(report: Callable[[], Mapping[str, Any] | None]) -> list[Row]:
    """Return the rows of the store; `report`: `Remembering.report`, None where nothing is kept on disk, which shows nothing."""

    def told(name: str) -> Values:
        found = report()
        return {} if found is None else {(): float(found[name])}

    def events() -> Values:
        found = report()
        return {} if found is None else {(event,): float(found[event]) for event in STORE_EVENTS}

    def trouble() -> Values:
        found = report()
        return {(str(found["trouble"]),): 1.0} if found is not None and found["trouble"] is not None else {}

    return [
        Row(table.STORE_BYTES, lambda: told("bytes")),
        Row(table.STORE_ENTRIES, lambda: told("answers")),
        Row(table.STORE, events),
        Row(table.STORE_TROUBLE, trouble),
        Row(table.STORE_OWED, lambda: told("purges_owed")),
    ]
