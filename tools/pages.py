"""Writes the tables of docs/operating.md that are taken from the program: `python -m tools.pages`.

Instruments come from the one table of instruments, settings from the structs and their docstrings. Nobody edits what stands
between the markers by hand; a test holds page and program together.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import msgspec
from msgspec import Struct

from proxy.config.settings import Settings
from proxy.telemetry.metrics.table import TABLE

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "operating.md"
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
_SPACE: Final = re.compile(r"\s+")


def main() -> int:
    """Write every table."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        text = replaced(text, name, table())
    PAGE.write_text(text, encoding="utf-8")
    return 0


def replaced(text: str, name: str, table: str) -> str:
    """Return a page with what stands between one pair of markers replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no markers for {name}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def metrics() -> str:
    """Return the table of instruments."""
    rows = [
        (
            f"`{each.name}`",
            f"`{each.prometheus}`",
            each.kind.value,
            each.unit,
            ", ".join(f"`{label}`" for label in each.labels) or "–",
            each.says,
        )
        for each in TABLE
    ]
    return _table(("OpenTelemetry", "Prometheus", "kind", "unit", "labels", "tells"), rows)


def settings() -> str:
    """Return the table of settings."""
    rows = [(f"`{path}`", f"`{default}`" if default else "required", what) for path, default, what in _settings(Settings, ())]
    return _table(("setting", "default", "meaning"), rows)


TABLES: Final = {"metrics": metrics, "settings": settings}


def _settings(section: type[Struct], place: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    meanings = {name: _SPACE.sub(" ", text) for name, text in _ATTRIBUTE.findall(inspect.getdoc(section) or "")}
    hints = get_type_hints(section)
    for field in msgspec.structs.fields(section):
        inner, is_named = _struct_in(hints[field.name])
        path = (*place, field.encode_name)
        if inner is not None and inner.__name__ != "SecretSource":
            yield from _settings(inner, (*path, "*") if is_named else path)
        else:
            yield ".".join(path), _default(field), meanings.get(field.name, "")


def _struct_in(annotation: Any) -> tuple[type[Struct] | None, bool]:
    """Return the section that an annotation holds, and whether it stands under names of the operator's."""
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return annotation, False
    is_table = getattr(annotation, "__origin__", None) is dict
    for part in get_args(annotation):
        inner, _ = _struct_in(part)
        if inner is not None:
            return inner, is_table
    return None, False


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "–" if value is None else msgspec.json.encode(value).decode()


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
