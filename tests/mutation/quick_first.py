"""A pytest plugin for a mutant's run: the tests that took least time come first, so that most mutants die early.

mutmut hands the tests over in no order; what each took, it noted in `mutmut-stats.json` in the folder the tests run in.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTED = Path("mutmut-stats.json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by the noted time; before there is a note, leave the order alone."""
    if NOTED.exists():
        took = json.loads(NOTED.read_text())["duration_by_test"]
        items.sort(key=lambda item: took.get(item.nodeid, 0.0))
