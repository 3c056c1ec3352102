"""Holds a play of the matrix, or of a part of it, to the one written down."""

from __future__ import annotations

from collections.abc import Iterator

from .cells import Cell, Table


def differences(before: dict[str, Table], now: dict[str, Table]) -> list[str]:
    """Return a line for every cell of `now` that is not as before."""
    return [
        f"{' / '.join(place)}: was {_said(was)}, is {_said(cell)}"
        for place, cell in _cells(now)
        if (was := _find(before, place)) is None or not was.equals(cell)
    ]


def _cells(tables: dict[str, Table]) -> Iterator[tuple[tuple[str, str, str, str], Cell]]:
    for name, table in tables.items():
        for trial, row in table.items():
            for subject, routes in row.items():
                for route, cell in routes.items():
                    yield (name, trial, subject, route), cell


def _find(tables: dict[str, Table], place: tuple[str, str, str, str]) -> Cell | None:
    name, trial, subject, route = place
    return tables.get(name, {}).get(trial, {}).get(subject, {}).get(route)


def _said(cell: Cell | None) -> str:
    if cell is None:
        return "not there"
    words = (cell.got, cell.lost, f"{cell.requests} requests", cell.told, cell.later)
    return " · ".join(word for word in words if word)
