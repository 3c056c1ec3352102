"""How many exchanges may be under way at a time, for an upstream, a project and the slow lane."""

from __future__ import annotations

from .bulkhead import Bulkhead
from .lane import Lane

__all__ = ["Bulkhead", "Lane"]
