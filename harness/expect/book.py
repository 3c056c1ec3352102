"""The file of right answers: JSON lines, a head and then one person a line. `load/` reads it and imports nothing of ours.

    {"expect": 1, "seed": 1, "people": 2, "definitions": "<sha256>", "vouchers": ["reference", "posthog-python@7.91.1"],
     "good_until": "2026-11-24T06:00:00Z"}
    {"request": {"distinct_id": "holdfast-load-1-…", "person_properties": {…}, "groups": {…}, "group_properties": {…}},
     "flags": {"checkout": {"value": "control", "payload": null, "by": "reference+posthog-python@7.91.1"}},
     "open": ["vip"], "disputed": []}

`by` names who vouches for a value. `open` flags hang on what definitions do not say, `disputed` ones on an open question
between those who vouch: about neither is anything expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

FORMAT = 1


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line.

    Attributes:
        expect: The version of this format.
        definitions: SHA-256 of the served document that the answers follow from.
        vouchers: The reference, and whoever else computed the answers.
        good_until: Relative dates were looked at for so long only.
    """

    seed: int
    people: int
    definitions: str
    vouchers: tuple[str, ...]
    good_until: str
    expect: int = FORMAT


class Expected(msgspec.Struct, frozen=True):
    """One flag's right answer and who vouches for it; the payload is as stored, normally JSON text."""

    value: Any
    payload: Any
    by: str


class Entry(msgspec.Struct, frozen=True):
    """One person: the fields of the request, and what must come back."""

    request: dict[str, Any]
    flags: dict[str, Expected]
    open: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()


def written(head: Head, entries: Sequence[Entry]) -> bytes:
    """Return the file."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in (head, *entries))


def counted(entries: Sequence[Entry]) -> Counter[str]:
    """Count pairs by who vouches; `open` and `disputed` ones under these words."""
    found: Counter[str] = Counter()
    for entry in entries:
        found.update(one.by for one in entry.flags.values())
        found.update(open=len(entry.open), disputed=len(entry.disputed))
    return found
