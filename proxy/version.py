"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed() -> str:
    try:
        return version("holdfast")
    except PackageNotFoundError:
        return "0.0.0+checkout"


VERSION: Final = _installed()
