"""Reads `/metrics` of an instance."""

from __future__ import annotations

import re

import aiohttp

from tests.wire.process.support.instance import Instance

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(instance: Instance) -> Series:
    """Return every sample: name and labels → value."""
    async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/metrics") as answer:
        assert answer.status == 200
        return parsed(await answer.text())


def parsed(text: str) -> Series:
    """Return the samples of an exposition."""
    found: Series = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = _LINE.fullmatch(line)
            assert match is not None, line
            found[match[1], frozenset(_LABEL.findall(match[2] or ""))] = float(match[3])
    return found


def total(series: Series, name: str, **labels: str) -> float:
    """Add up a family's samples that have these labels."""
    wanted = frozenset(labels.items())
    return sum(value for (family, has), value in series.items() if family == name and wanted <= has)
