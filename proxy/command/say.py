"""The one place where commands speak to a person."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write to standard error."""
    sys.stderr.write(text + "\n")
