"""The walk over the rungs in the policy's order, until nothing is missing: what stands in for upstream, whole or in parts.

A whole answer of the first rung that has one ends it; otherwise the records of all make one answer. One that lacks a flag the
caller named, and would take for false, is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from proxy.answer.answer import Answer, Assembled
from proxy.answer.assemble import Assembler
from proxy.answer.partial.clients import would_mislead
from proxy.answer.partial.failing import sifted
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept

from .rung import Filled, Rung


class Rescued(msgspec.Struct, frozen=True):
    """What stands in for upstream. `is_complete`: no flag that was asked for is missing."""

    answer: Answer
    is_complete: bool


class Walk:
    """The rungs by name, as a policy names them. `holds`: whether definitions of a project are held."""

    def __init__(
        self, rungs: Mapping[str, Rung], assembler: Assembler, *, holds: Callable[[ProjectName], bool] = lambda _: False
    ) -> None:
        self._rungs = rungs
        self._holds = holds
        self._assembler = assembler

    def has_source(self, request: FlagsRequest, entry: Entry[Kept] | None) -> bool:
        """Tell whether some rung is likely to answer; `entry` is the last good answer. Cheap, and no promise."""
        rungs = request.policy.rungs
        return (entry is not None and "stale" in rungs) or ("local" in rungs and self._holds(request.project))

    async def rescue(self, request: FlagsRequest, story: Answer) -> Rescued:
        """Return the story with what the rungs have; the story itself when that is nothing."""
        asked = None if request.asked is None else frozenset(request.asked)
        pieces = await self.fill(request, asked, is_whole_enough=True)
        if not pieces:
            return Rescued(story, is_complete=False)
        if pieces[0].content is not None:
            return Rescued(_told(story, pieces[0]), is_complete=True)
        answer, is_complete = await self._assembler.answer(request, story, pieces)
        if is_complete or not _misleads(request, answer):
            return Rescued(answer, is_complete)
        return Rescued(story, is_complete=False)

    async def fill(
        self, request: FlagsRequest, missing: frozenset[str] | None, *, is_whole_enough: bool = False
    ) -> Sequence[Filled]:
        """Return what the rungs have of the `missing` flags (None: of all, whichever those are), first rung first.

        `is_whole_enough`: a whole answer of the first rung that has anything is all that is wanted.
        """
        pieces: list[Filled] = []
        for name in request.policy.rungs:
            filled = await self._rungs[name].fill(request, missing)
            if filled is None:
                continue
            if request.policy.flags:
                filled = await sifted(request, filled)
            pieces.append(filled)
            if filled.content is not None and len(pieces) == 1 and is_whole_enough:
                break
            missing = missing and missing.difference(filled.records)
            if missing is not None and not missing:
                break
        return pieces


def _misleads(request: FlagsRequest, answer: Answer) -> bool:
    if request.asked is None or not isinstance(answer.content, Assembled):
        return False
    return would_mislead(request, set(request.asked) - answer.content.sources.keys())


def _told(story: Answer, filled: Filled) -> Answer:
    assert filled.content is not None
    return msgspec.structs.replace(
        story, content=filled.content, source=filled.source, age_s=filled.age_s, fresh_for_s=filled.fresh_for_s
    )
