"""The text operators: contains, contains any of, starts with, ends with (contract §7.3).

Only A–Z are folded, on both sides; values that are not strings are searched in their JSON text.
"""

from __future__ import annotations

from reference.json import Json

from .comparison import NEVER, Comparison
from .match import Moment
from .text import ascii_lower, json_text, text_form


def _folded(value: Json) -> str:
    return ascii_lower(value if isinstance(value, str) else json_text(value))


def contains(value: Json) -> Comparison:
    """Compile `icontains`; a list is searched for as its JSON text."""
    needle = ascii_lower(text_form(value))
    return Comparison(lambda candidate, _moment: needle in _folded(candidate))


def contains_any(value: Json) -> Comparison:
    """Compile `icontains_multi`: any member of a list; a scalar counts as its only member."""
    if not isinstance(value, (list, tuple)):
        return contains(value)
    if not value:
        return NEVER
    needles = tuple(dict.fromkeys(ascii_lower(text_form(member)) for member in value))

    def present(candidate: Json, _moment: Moment) -> bool:
        haystack = _folded(candidate)
        return any(needle in haystack for needle in needles)

    return Comparison(present)


def starts_with(value: Json) -> Comparison:
    """Compile `starts_with`."""
    prefix = ascii_lower(text_form(value))
    return Comparison(lambda candidate, _moment: _folded(candidate).startswith(prefix))


def ends_with(value: Json) -> Comparison:
    """Compile `ends_with`."""
    suffix = ascii_lower(text_form(value))
    return Comparison(lambda candidate, _moment: _folded(candidate).endswith(suffix))
