"""Right answers from a file, as `flags-harness expect` writes it: a head, then one person a line, JSON.

Only what somebody vouches for is compared: a flag that the file leaves open may be answered in any way. An answer that lacks an
expected flag is wrong as well: to an application a missing flag is off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
WRONG: Final = "wrong value"
WRONG_PAYLOAD: Final = "wrong payload"
MISSING: Final = "flag missing"


def unreadable(file: Path) -> str | None:
    """Return what is wrong with a file, with the remedy; None where it can be used."""
    remedy = "make one with `flags-harness expect`"
    try:
        with file.open(encoding="utf-8") as lines:
            head, first = json.loads(next(lines)), json.loads(next(lines))
    except (OSError, ValueError, StopIteration) as cause:
        return f"{file}: {type(cause).__name__}; {remedy}"
    if (
        not isinstance(head, dict)
        or head.get("expect") != FORMAT
        or not (isinstance(first, dict) and isinstance(first.get("request"), dict))
    ):
        return f"{file}: not a file of right answers of format {FORMAT}; {remedy}"
    return None


def entries(file: Path) -> list[dict[str, Any]]:
    """Read the people of a file."""
    with file.open(encoding="utf-8") as lines:
        next(lines)
        return [json.loads(line) for line in lines]


def verdict(entry: Mapping[str, Any], answer: Any) -> str | None:
    """Return what is wrong with an answer of version 2, decoded; None where nothing is."""
    records = answer.get("flags") if isinstance(answer, dict) else None
    if not isinstance(records, dict):
        return MISSING
    for key, expected in entry["flags"].items():
        record = records.get(key)
        if not isinstance(record, dict):
            return MISSING
        value = record.get("enabled") if record.get("variant") is None else record["variant"]
        if type(value) is not type(expected["value"]) or value != expected["value"]:
            return WRONG
        metadata = record.get("metadata")
        if isinstance(metadata, dict) and metadata.get("payload") != expected["payload"]:
            return WRONG_PAYLOAD
    return None
