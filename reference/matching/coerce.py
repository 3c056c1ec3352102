"""The number of a JSON value, N(x) of contract §7.1: what Rust's `f64::from_str` reads.

Python's `float` accepts more (`1_000`, surrounding spaces, digits of other scripts). Nothing here raises.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

from reference.json import Json

from .text import as_double

# `re.ASCII` also keeps IGNORECASE from accepting look-alikes such as U+017F or U+0131.
_RUST_FLOAT: Final = re.compile(
    r"[+-]?(?:inf|infinity|nan|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)", re.ASCII | re.IGNORECASE
)


def number(value: Json) -> float | None:
    """Return N(x) as a double (NaN and infinities only from text), or None where the service sees no number."""
    if type(value) is int:  # the usual number, and no boolean
        return as_double(value)
    match value:
        case bool():
            return None
        case float():
            return value if isfinite(value) else None
        case str():
            return number_of_text(value)
        case _:
            return None


def number_of_text(raw: str) -> float | None:
    """Return the double that Rust's `str::parse::<f64>` reads, or None: no spaces, no underscores, no hexadecimal."""
    return float(raw) if _RUST_FLOAT.fullmatch(raw) else None
