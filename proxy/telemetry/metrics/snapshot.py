"""All slates of a family as one: counters and histograms added up, gauges of the living merged as their instrument says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from .instrument import Instrument, Kind, Merge
from .slate import Ground
from .table import BY_NAME, TABLE

SILENT_S: Final = 5.0
"""Gauges of a slate whose process has not been heard of for so long say nothing."""

Labels: TypeAlias = tuple[str, ...]


class Measured(msgspec.Struct, frozen=True):
    """One instrument's series.

    Attributes:
        instrument: Which.
        names: Label names; `process` is the last where processes stay apart.
        series: Labels → the value, or a histogram's buckets (each for itself) and their sum of values.
    """

    instrument: Instrument
    names: Labels
    series: Mapping[Labels, list[float]]


def snapshot(ground: Ground, *, now: float, process: Callable[[int], str]) -> list[Measured]:
    """Return what all processes measured, in the table's order; `process` names a slate's owner."""
    merged: dict[str, dict[Labels, list[float]]] = {instrument.name: {} for instrument in TABLE}
    for instrument, labels, values in _each(ground, now=now, process=process):
        series = merged[instrument.name]
        before = series.get(labels)
        series[labels] = values if before is None else _merged(instrument, before, values)
    return [
        Measured(instrument, _names(instrument), merged[instrument.name]) for instrument in TABLE if merged[instrument.name]
    ]


def _each(ground: Ground, *, now: float, process: Callable[[int], str]) -> Iterator[tuple[Instrument, Labels, list[float]]]:
    for index, beat, series in ground.read():
        for place, values in series:
            instrument = BY_NAME.get(place.name)
            if instrument is None or instrument.width != place.width:
                continue  # of another release that ran here before
            if instrument.kind is Kind.GAUGE and (now - beat > SILENT_S or math.isnan(values[0])):
                continue
            is_apart = instrument.merge is Merge.EACH
            yield instrument, (*place.labels, process(index)) if is_apart else place.labels, values


def _merged(instrument: Instrument, before: list[float], values: list[float]) -> list[float]:
    if instrument.kind is Kind.GAUGE and instrument.merge is Merge.MAX:
        return [max(before[0], values[0])]
    return [one + other for one, other in zip(before, values, strict=True)]


def _names(instrument: Instrument) -> Labels:
    return (*instrument.labels, "process") if instrument.merge is Merge.EACH else instrument.labels
