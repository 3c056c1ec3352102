"""Merge: what a partial answer lacks is filled flag by flag from other sources; what it has is given as upstream said it.

Filled are records marked `failed`, and records missing from an answer that says `errorsWhileComputingFlags: true` where the
last good answer, or the request by name, tells of them. What is missing from an error-free answer is gone and nobody's affair
here. The rungs keep to "off means off" and the version rule; an absence that lasts is believed (`judgement/lost/absence`). What
cannot be filled is left out or refused as the caller's SDK needs it (`clients`). Nothing of this is ever remembered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from proxy.answer.answer import Answer, Assembled, Failure, Source, Trouble, Whole
from proxy.answer.hooks import Fill
from proxy.answer.judgement.judge import Judge
from proxy.answer.judgement.listing import flags_of
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import QUOTA, ReadAnswer, Record, compose_again, read_answer, read_records, unavailable
from proxy.lastgood.memory import Memory
from proxy.pauses import in_slices

from .clients import is_forgiving, would_mislead


class Outcome(StrEnum):
    """What became of a partial answer: a closed vocabulary, also of metrics."""

    FILLED = "filled"
    LEFT_OUT = "left_out"
    REFUSED = "refused"
    AS_SAID = "as_said"


class Merge:
    """Merges. `outcomes`: how often what became of a partial answer that lacked something."""

    def __init__(self, memory: Memory, judge: Judge) -> None:
        self.outcomes: Counter[tuple[ProjectName, Outcome]] = Counter()
        self._memory = memory
        self._judge = judge

    async def mend(self, request: FlagsRequest, story: Answer, fill: Fill) -> Answer:
        """Return the story with its gaps filled, or as it came where there are none or nothing can be done about them."""
        answer = await in_slices(read_records(story.content.body)) if isinstance(story.content, Whole) else None
        if answer is None or QUOTA in answer.envelope.quota_limited:
            return story
        gaps = self._gaps(request, answer)
        if not gaps:
            return story
        found = await _found(await fill(gaps), gaps)
        outcome, content = _merged(request, answer, found, gaps - found.keys())
        self.outcomes[request.project, outcome] += 1
        told = replace(story, failure=Failure(trouble=Trouble.PARTIAL, status=story.content.status))
        if content is None:
            return told
        if outcome is Outcome.REFUSED:
            return replace(told, content=content, source=Source.NONE)
        age_s = max((each.age_s for each in found.values()), default=0.0)
        return replace(told, content=content, source=Source.MERGED if found else story.source, age_s=age_s)

    def _gaps(self, request: FlagsRequest, answer: ReadAnswer) -> frozenset[str]:
        failed = {key for key, record in answer.records.items() if record.failed}
        if answer.envelope.errors is not True:
            return frozenset(failed)
        present = answer.records.keys() | answer.odd.keys()
        missing = self._expected(request) - present
        return frozenset(failed | (missing - self._judge.absent(request, present, missing)))

    def _expected(self, request: FlagsRequest) -> set[str]:
        """Return the flags that the answer would have, by the last good one; by name where there is none."""
        entry = self._memory.get(request.key)
        reading = None if entry is None else read_answer(entry.value.whole)
        return set(request.asked or ()) if reading is None else set(flags_of(reading))


class _Found(msgspec.Struct, frozen=True):
    record: Record
    source: Source
    age_s: float


async def _found(pieces: Sequence[Filled], gaps: frozenset[str]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for piece in pieces:
        records: Mapping[str, Record] = piece.records
        if piece.content is not None:
            answer = await in_slices(read_records(piece.content.body))
            records = {} if answer is None else answer.records
        for key in gaps & records.keys():
            if key not in found and not records[key].failed:
                found[key] = _Found(records[key], piece.source, piece.age_s)
    return found


def _merged(
    request: FlagsRequest, answer: ReadAnswer, found: Mapping[str, _Found], lacking: frozenset[str]
) -> tuple[Outcome, Assembled | None]:
    """Return what becomes of the answer, and its new content; None: it stays as it came."""
    if would_mislead(request, lacking):
        return Outcome.REFUSED, unavailable()
    left_out = lacking & answer.records.keys() if is_forgiving(request) else frozenset[str]()
    if not found and not left_out:
        return Outcome.AS_SAID, None
    records = {key: record for key, record in answer.records.items() if key not in left_out}
    records |= {key: each.record for key, each in found.items()}
    sources = dict.fromkeys(records, Source.UPSTREAM) | {key: each.source for key, each in found.items()}
    body = compose_again(replace(answer, records=records, envelope=replace(answer.envelope, errors=True)))
    return (Outcome.FILLED if not left_out else Outcome.LEFT_OUT), Assembled(body, sources)
