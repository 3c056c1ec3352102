"""Write `reference/matching/patterns/unicode_tables.py` from the character sets in vectors.json."""

from __future__ import annotations

import json
import string
import textwrap
from pathlib import Path

_HERE = Path(__file__).parent
_TARGET = _HERE.parents[2] / "reference" / "matching" / "patterns" / "unicode_tables.py"
_DIGITS = string.digits + string.ascii_lowercase
_HEAD = r'''r"""The sets `\w`, `\d` and `\s` of Rust's regex syntax, as inclusive ranges in base 36.

Written by tests/conformance/rust_vectors/tables.py from what the engine itself matches; Python's own tables follow the
Python that happens to run, and have no Alphabetic property.
"""

from __future__ import annotations

from typing import Final
'''


def _base36(number: int) -> str:
    return (_base36(number // 36) if number >= 36 else "") + _DIGITS[number % 36]


def _table(name: str, ranges: list[list[int]]) -> str:
    written = " ".join(_base36(low) if low == high else f"{_base36(low)}-{_base36(high)}" for low, high in ranges)
    lines = textwrap.wrap(written, 118, break_on_hyphens=False)
    body = "\n".join(f'    "{line} "' for line in lines)
    return f"\n{name}: Final = (\n{body}\n)\n"


def written() -> str:
    """Return the text of the module."""
    classes = json.loads((_HERE / "vectors.json").read_text(encoding="utf-8"))["classes"]
    names = {"WORD_TABLE": "w", "DIGIT_TABLE": "d", "SPACE_TABLE": "s"}
    return _HEAD + "".join(_table(name, classes[letter]) for name, letter in names.items())


if __name__ == "__main__":
    _TARGET.write_text(written(), encoding="utf-8")
