"""How slices become a figure: the lower quartile of many short ones, and ratios taken round by round.

Disturbances only ever add CPU (cold caches, other people's work), so the quiet quarter is nearest to the code's own cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A quartile with the extremes it stands between."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} ({self.low:{spec}}–{self.high:{spec}})"


def lower_quartile(samples: Sequence[float]) -> float:
    """Return the 25th percentile, interpolated between the two nearest samples."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) / 4
    index = int(place)
    upper = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (upper - ordered[index]) * (place - index)


def figure(samples: Sequence[float]) -> Figure:
    """Return the lower quartile of the samples with their minimum and maximum."""
    return Figure(value=lower_quartile(samples), low=min(samples), high=max(samples))


def ratio(samples: Sequence[float], base: Sequence[float]) -> Figure:
    """Return lower quartile ÷ lower quartile, with the extremes of the rounds' own ratios (paired by round)."""
    rounds = [sample / other for sample, other in zip(samples, base, strict=True)]
    return Figure(value=lower_quartile(samples) / lower_quartile(base), low=min(rounds), high=max(rounds))
