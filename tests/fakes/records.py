"""Flag records as upstream gives them."""

from __future__ import annotations

from typing import Any


def record(key: str, value: bool | str = True, *, version: int = 5, **metadata: Any) -> dict[str, Any]:
    """One flag as upstream gives it in v2."""
    variant = value if isinstance(value, str) else None
    return {
        "key": key,
        "enabled": value is not False,
        "variant": variant,
        "reason": {"code": "condition_match", "condition_index": 0, "description": "Matched condition set 1"},
        "metadata": {"id": 1, "version": version, "description": None, "payload": None, **metadata},
    }
