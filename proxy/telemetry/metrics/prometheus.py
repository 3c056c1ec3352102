"""A snapshot in Prometheus' text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .instrument import Kind, label_name
from .snapshot import Labels, Measured

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def text(snapshot: Iterable[Measured]) -> str:
    """Return the whole exposition."""
    return "".join(f"{line}\n" for measured in snapshot for line in _lines(measured))


def _lines(measured: Measured) -> Iterator[str]:
    instrument = measured.instrument
    name = instrument.prometheus
    yield f"# HELP {name} {instrument.says}"
    yield f"# TYPE {name} {instrument.kind.value}"
    names = [label_name(each) for each in measured.names]
    for labels, values in sorted(measured.series.items()):
        if instrument.kind is Kind.HISTOGRAM:
            yield from _histogram(name, names, labels, instrument.bounds, values)
        else:
            yield f"{name}{_braced(names, labels)} {_number(values[0])}"


def _histogram(name: str, names: list[str], labels: Labels, bounds: tuple[float, ...], values: list[float]) -> Iterator[str]:
    count = 0.0
    for bound, value in zip((*bounds, float("inf")), values[:-1], strict=True):
        count += value
        yield f"{name}_bucket{_braced([*names, 'le'], (*labels, _number(bound)))} {_number(count)}"
    yield f"{name}_sum{_braced(names, labels)} {_number(values[-1])}"
    yield f"{name}_count{_braced(names, labels)} {_number(count)}"


def _braced(names: list[str], labels: Labels) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, labels, strict=True) if value)
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value.is_integer() else repr(value)
