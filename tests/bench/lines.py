"""One JSON line on standard output: how the children of a benchmark answer."""

from __future__ import annotations

import json
import sys


def say(record: dict[str, object]) -> None:
    """Write one record and let it go at once."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()
