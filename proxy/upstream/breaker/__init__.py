"""The breakers of an upstream: its own, and one for each project that it refuses."""

from __future__ import annotations

from .gate import Gate
from .guard import Guard
from .state import Cause, Permit, State

__all__ = ["Cause", "Gate", "Guard", "Permit", "State"]
