"""What an instrument is: a name, a unit, the labels it is split by, and how several workers' values become one.

Names and units follow OpenTelemetry (`holdfast.answer.age`, `s`); Prometheus' form is derived from them, never written down a
second time. Labels take values of closed vocabularies and configured names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec


class Kind(Enum):
    """What Prometheus and OpenTelemetry both know."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(Enum):
    """What several processes' values of a gauge come to. Counters and histograms are always added up."""

    SUM = "sum"
    MAX = "max"
    EACH = "each"
    """They stay apart, under a label `process`."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        name: OpenTelemetry's name, dotted.
        kind: Counter, gauge or histogram.
        unit: UCUM: `s`, `By`, `1` (a ratio), or what is counted, in braces.
        says: One line for people.
        labels: Attribute names, in order.
        bounds: Upper bounds of a histogram's buckets, inclusive, growing; the last bucket has none.
        merge: How a gauge's values become one.
    """

    name: str
    kind: Kind
    unit: str
    says: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    merge: Merge = Merge.SUM

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def width(self) -> int:
        """Cells that one series takes: a value, or the buckets (the unbounded one too) and the sum."""
        return len(self.bounds) + 2 if self.kind is Kind.HISTOGRAM else 1

    @property
    def prometheus(self) -> str:
        """The name in Prometheus' form, by OpenTelemetry's rules: `_total` for counters, the unit spelt out."""
        base = self.name.replace(".", "_")
        suffix = _SUFFIXES.get(self.unit, "")
        if self.unit == "1" and self.kind is not Kind.GAUGE:
            suffix = ""
        unit = suffix if suffix and not base.endswith(suffix) else ""
        return base + unit + ("_total" if self.kind is Kind.COUNTER else "")


_SUFFIXES: Final[Mapping[str, str]] = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}


def label_name(attribute: str) -> str:
    """Return an attribute's name as Prometheus has it."""
    return attribute.replace(".", "_")
