"""Tokens and keys come from the environment or from a file, never from the command line, which every process can read."""

from __future__ import annotations

import os
from pathlib import Path

from .budget import Stopped

TOKEN_VARIABLE = "FLAGS_HARNESS_TOKEN"  # noqa: S105 — a name
KEY_VARIABLE = "FLAGS_HARNESS_KEY"


def credential(variable: str, file: Path | None, option: str, what: str) -> str:
    """Read one.

    Raises:
        Stopped: neither names one; the message says how to.
    """
    try:
        text = os.environ.get(variable, "") if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise Stopped(f"{option} cannot be read: {type(cause).__name__}") from cause
    if not text.strip():
        raise Stopped(f"no {what}: put it into the environment as {variable}, or into a file named with {option}")
    if not text.strip().isascii() or len(text.split()) > 1:
        raise Stopped(f"the {what} is not one word of ASCII: look at {variable if file is None else option}")
    return text.strip()
