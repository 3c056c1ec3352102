"""Asks about a document in smaller portions where a subject refuses it as a whole, so that one odd flag hides no other finding.

Some SDKs read definitions into fixed types: a single flag outside them costs every flag. That is one finding about that flag;
what they think of the others is asked without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.case import Document, Person

from .panel import BOTH_REFUSED, Divergence, Panel

REFUSED: Final = {"refused", "base refused", BOTH_REFUSED}


async def differences(panel: Panel, definitions: Document, people: Sequence[Person]) -> list[tuple[Document, Divergence]]:
    """Return every difference with the document it was met on: the whole, or the smallest portion that was refused.

    A document whose flags depend on each other is not taken apart. What two refuse alike (one SDK in two zones, or at two
    versions) is no difference.
    """
    found = await panel.differences(definitions, people)
    refusing = [] if _is_whole(definitions) else sorted(_refusing(found, len(people)))
    kept = [(definitions, one) for one in found if one.subject not in refusing]
    for subject in refusing:
        for portion in _halves(definitions):
            kept += await differences(panel.only(subject), portion, people)
    return [(where, one) for where, one in kept if one.kind != BOTH_REFUSED]


def _refusing(found: Sequence[Divergence], people: int) -> set[str]:
    """Return whose answers are lost to a refusal, the base's or their own, which shows for every person."""
    refused = [one.subject for one in found if one.kind in REFUSED and one.flag_key is None]
    return {subject for subject in refused if refused.count(subject) == people}


def _is_whole(definitions: Document) -> bool:
    flags = definitions["flags"]
    leaves = (
        leaf
        for flag in flags
        for condition in flag["filters"].get("groups") or ()
        for leaf in condition.get("properties") or ()
    )
    return len(flags) == 1 or any(leaf.get("type") == "flag" for leaf in leaves)


def _halves(definitions: Document) -> Iterator[Document]:
    flags = definitions["flags"]
    middle = len(flags) // 2
    for half in (flags[:middle], flags[middle:]):
        yield {**definitions, "flags": half}
