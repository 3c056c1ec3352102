"""A straight line through points, and how well they keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import correlation, linear_regression


@dataclass(frozen=True, kw_only=True)
class Line:
    """`y = slope · x + intercept`; `r_squared` is the share of the spread that the line explains."""

    slope: float
    intercept: float
    r_squared: float


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """Return the least-squares line through at least two points."""
    slope, intercept = linear_regression(x, y)
    return Line(slope=slope, intercept=intercept, r_squared=correlation(x, y) ** 2)
