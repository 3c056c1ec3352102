"""The one way a lane says that it cannot be had here."""

from __future__ import annotations


class Unavailable(Exception):  # noqa: N818 — a state of the machine, not an error of the program
    """The message is the reason, fit for a reader."""
