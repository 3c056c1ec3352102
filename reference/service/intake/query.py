"""Query strings as the service's framework reads them: known parameters once each, the rest ignored (contract §1.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

FLAGS_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "v": ("v", "version"),
    "config": ("config",),
    "compression": ("compression",),
    "ver": ("ver", "lib_version"),
    "_": ("_", "sent_at"),
    "only_evaluate_survey_feature_flags": ("only_evaluate_survey_feature_flags",),
}
DEFINITIONS_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {"token": ("token",), "send_cohorts": ("send_cohorts",)}

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}\Z", re.ASCII)
_I64: Final = 2**63


def read_query(text: str, known: Mapping[str, tuple[str, ...]]) -> dict[str, str] | str:
    """Read the known parameters of a raw query string.

    Args:
        text: Raw query string, without the question mark.
        known: Parameter → its aliases.

    Returns:
        Parameter → text for those that are there, or the detail of the 400 answer.
    """
    names = {alias: parameter for parameter, aliases in known.items() for alias in aliases}
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parameter = names.get(name)
        if parameter is None:
            continue
        if parameter in found:
            return f"duplicate field `{parameter}`"
        found[parameter] = value
    return found


def read_flags_query(text: str) -> dict[str, str] | str:
    """Read the parameters of `/flags`; `_` must be a 64-bit integer or empty."""
    found = read_query(text, FLAGS_PARAMETERS)
    if isinstance(found, str) or _is_time(found.get("_", "")):
        return found
    return "_: invalid digit found in string"


def _is_time(text: str) -> bool:
    return not text or (_INTEGER.match(text) is not None and -_I64 <= int(text) < _I64)
