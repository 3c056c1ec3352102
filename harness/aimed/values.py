"""Values beside a filter: those that just satisfy it, those that just do not, and look-alikes of another type.

Only values an application could send; what the filter itself asks for is always among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from harness.search.classes import FAMILIES

OTHER: Final = "holdfast-other"
_DAYS: Final = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}
_RELATIVE: Final = re.compile(r"-?(\d{1,4})([hdwmy])\Z")
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)")
_CORE: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
_META: Final = re.compile(r"\\[a-zA-Z]|[\\^$()\[\]{}?*+|]")


def beside(leaf: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    """Return the values to try for a filter's property.

    Args:
        leaf: The filter as definitions carry it.
        now: Relative dates count from it; their values stay two days away from the edge, where clocks do not matter.
    """
    family = FAMILIES.get(leaf.get("operator") or "exact", "unknown operator")
    asked = leaf.get("value")
    if family == "date":
        return _dates(asked, now)
    return tuple(_unlike(_BESIDE.get(family, _equal)(asked)))


def _unlike(values: Iterable[Any]) -> list[Any]:
    """Return the values once each; `1`, `1.0`, `true` and `"1"` are four."""
    return list({(type(value).__name__, repr(value)): value for value in values}.values())


def _equal(asked: Any) -> list[Any]:
    members = list(asked) if isinstance(asked, list) else [asked]
    found: list[Any] = [OTHER, "", True, False]
    for member in members[:6]:
        if member is not None:
            found.append(member)
        if isinstance(member, str):
            found += [member.swapcase(), f"{member} ", *_number(member)]
        elif isinstance(member, int | float):
            found += [f"{member}".lower(), member + 1]
    return found


def _number(text: str) -> list[Any]:
    return [int(text)] if re.fullmatch(r"-?\d{1,15}", text) else []


def _contained(asked: Any) -> list[Any]:
    members = [f"{one}" for one in asked[:4]] if isinstance(asked, list) else [f"{asked}"]
    return [OTHER, *(form for one in members for form in (one, f"x{one}y", one.swapcase(), one[:-1], f"{one}x", f"x{one}"))]


def _ordered(asked: Any) -> list[Any]:
    found: list[Any] = [0, "holdfast"]
    for bound in asked if isinstance(asked, list) else [asked]:
        try:
            number = float(bound)
        except (TypeError, ValueError, OverflowError):
            continue
        if not math.isfinite(number):
            continue
        whole = int(number) if number.is_integer() and abs(number) < 1e15 else number  # noqa: PLR2004 — exact as a double
        found += [whole, whole + 1, whole - 1, f"{whole}", math.nextafter(number, math.inf), math.nextafter(number, -math.inf)]
    return found


def _pattern(asked: Any) -> list[Any]:
    bare = _META.sub("", f"{asked}")
    return [bare, f"x{bare}x", bare.swapcase(), OTHER, "ada@example.com", "123"]


def _version(asked: Any) -> list[Any]:
    core = _CORE.match(f"{asked}".strip())
    major, minor, patch = (int(part or 0) for part in core.groups()) if core else (1, 0, 0)
    text = f"{major}.{minor}.{patch}"
    near = [text, f"{major}.{minor}.{patch + 1}", f"{major}.{minor + 1}.0", f"{major + 1}.0.0", f"{major}.{minor}"]
    lower = [f"{major}.{minor}.{max(patch - 1, 0)}", f"{major}.{max(minor - 1, 0)}.9", f"{max(major - 1, 0)}.9.9"]
    return [*near, *lower, f"{text}-rc.1", f"v{text}", f"{asked}", "holdfast"]


def _present(asked: Any) -> list[Any]:
    del asked  # whatever is sent is set
    return [OTHER, "", 0, False, None]


def _dates(asked: Any, now: datetime) -> tuple[Any, ...]:
    relative = _RELATIVE.match(f"{asked}")
    if relative:
        edge = now.astimezone(UTC) - timedelta(days=min(int(relative[1]) * _DAYS[relative[2]], 300_000))
        # Months and years are stepped over the calendar: a margin in proportion keeps clear of that.
        margin = timedelta(days=2 + (now.astimezone(UTC) - edge).days / 20)
        return (_instant(edge - margin), _instant(edge + margin), int((edge - margin).timestamp()), "holdfast")
    day = _DAY.search(f"{asked}")
    if day is None:
        return (_instant(now), "holdfast")
    try:
        named = datetime.fromisoformat(day[1]).replace(tzinfo=UTC)
        sides = [_instant(named + timedelta(days=days)) for days in (-2, -1, 0, 1, 2)]
    except (ValueError, OverflowError):
        return (f"{asked}", "holdfast")
    return (*sides, f"{asked}", int(named.timestamp()) + 86_400 * 3, "holdfast")


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


_BESIDE: Final[dict[str, Callable[[Any], list[Any]]]] = {
    "equality": _equal,
    "containment": _contained,
    "containment of several": _contained,
    "affix": _contained,
    "order": _ordered,
    "range": _ordered,
    "pattern": _pattern,
    "version": _version,
    "version range": _version,
    "presence": _present,
}
