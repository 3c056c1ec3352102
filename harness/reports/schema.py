"""The JSON Schema of `--json`, derived from what writes it.

`python -m harness.reports.schema > docs/flags-harness.schema.json` writes the copy that is checked in.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from .outcome import FORMAT, Outcome


def schema() -> dict[str, Any]:
    """Return the schema; further fields are allowed, for a field that is added does not raise the format."""
    found = msgspec.json.schema(Outcome)
    definitions: dict[str, Any] = found["$defs"]
    outcome: dict[str, Any] = definitions["Outcome"]
    outcome["properties"]["format"] = {"const": FORMAT}
    outcome["required"] = sorted({*outcome["required"], "format"})
    title = f"What flags-harness run --json writes, format {FORMAT}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **found}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=1) + b"\n")
