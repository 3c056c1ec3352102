"""What one application got under one fault, by which way; and the file that keeps all of it.

Times are kept as classes with wide borders between time limits, so that a machine half as fast tells the same.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Final

import msgspec

AT_ONCE: Final = "at once"
_BORDERS: Final = (1.0, 2.8, 5.0, 8.0, 12.0, 18.0)
_CLASSES: Final = (AT_ONCE, "1–2 s", "3–4 s", "5–7 s", "8–11 s", "12–17 s", "≥ 18 s")
DECIDED_BY_LIMITS: Final = frozenset(_CLASSES[2:])
"""Classes that only an expired time limit leads to; below them a slow machine may be the reason."""


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One application, one fault, one way.

    Attributes:
        got: What application code was handed.
        lost: How long it waited for that: a class.
        requests: How many requests the SDK sent; None where nobody can count them (nobody listened).
        told: What the SDK says about it in its event; "" for nothing.
        later: What application code got once the fault was over; "" where that was not asked.
    """

    got: str
    lost: str = AT_ONCE
    requests: int | None = None
    told: str = ""
    later: str = ""

    def equals(self, other: Cell) -> bool:
        """Tell whether two plays came to the same, times apart unless limits decide them."""
        timed = DECIDED_BY_LIMITS & {self.lost, other.lost}
        return (self.got, self.requests, self.told, self.later) == (
            other.got,
            other.requests,
            other.told,
            other.later,
        ) and (not timed or self.lost == other.lost)


Routes = dict[str, Cell]
Table = dict[str, dict[str, Routes]]
"""By trial, then subject, then route."""


class Measured(msgspec.Struct, kw_only=True):
    """Everything that was played.

    Attributes:
        fingerprint: Of what decides the outcome: SDKs, faults, applications, world.
        tables: By name.
    """

    fingerprint: str
    tables: dict[str, Table]


def class_of(seconds: float) -> str:
    """Return the class of a time."""
    return _CLASSES[bisect_right(_BORDERS, seconds)]


def load(file: Path) -> Measured:
    """Read the file."""
    return msgspec.json.decode(file.read_bytes(), type=Measured)


def save(file: Path, measured: Measured) -> None:
    """Write the file, so that another outcome of one SDK is a change of one line."""
    rows = ",\n".join(
        f"  {_json(name)}: {{\n"
        + ",\n".join(
            f"   {_json(trial)}: {{\n"
            + ",\n".join(f"    {_json(subject)}: {_json(routes)}" for subject, routes in row.items())
            + "\n   }"
            for trial, row in table.items()
        )
        + "\n  }"
        for name, table in measured.tables.items()
    )
    file.write_text(f'{{\n "fingerprint": {_json(measured.fingerprint)},\n "tables": {{\n{rows}\n }}\n}}\n', encoding="utf-8")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
