"""The entry that would make a finding known: a draft, to be finished by whoever understood it."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Final

from harness.search.state import Finding

AGAIN: Final = timedelta(days=180)
_SPECIAL: Final = re.compile(r"([*?\[])")


def entry(finding: Finding, today: date | None = None) -> list[str]:
    """Return the lines of a `[[divergence]]` that claims this cause and no other.

    What a person must say is left as a question: who deviates, why, and where that stands.
    """
    cause = finding.cause
    expires = None if today is None else today + AGAIN
    name = re.sub(r"[^a-z0-9]+", "-", f"{cause.feature} {cause.filter}".lower()).strip("-")
    return [
        "[[divergence]]",
        f"id = {_text(name)}",
        f"subjects = [{_text(cause.subject)}]",
        *([] if cause.base == "reference" else [f"base = {_text(cause.base)}"]),
        f"kinds = [{_text(cause.kind)}]",
        f"features = [{_text(_literal(cause.feature))}]",
        f"filters = [{_text(_literal(cause.filter))}]",
        f"properties = [{_text(_literal(cause.property))}]",
        'deviates = ""  # the subject, "reference", or "nobody" where the contract is silent',
        'why = ""  # what is done, and what the contract says',
        'evidence = ""  # where that stands',
        f"expires = {'YYYY-MM-DD' if expires is None else expires.isoformat()}",
    ]


def _literal(text: str) -> str:
    """Return a shell pattern that matches this text alone."""
    return _SPECIAL.sub(r"[\1]", text)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
