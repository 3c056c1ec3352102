"""Makes one answer out of the records of several rungs, in the shape that was asked for.

The first rung that has a record wins, and each record's source is kept beside the bytes. An assembled answer says that errors
happened whenever a flag that was asked for is missing, or the policy wants answers after a failure marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from proxy.clock import Clock
from proxy.pauses import in_slices

from .answer import Answer, Assembled, Source
from .request import FlagsRequest
from .rungs.rung import Filled
from .shape import Envelope, Record, compose, remembered, standing_in, wish_of


class Assembler:
    """Renders records; `new_id` names an answer that upstream did not."""

    def __init__(self, *, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    async def answer(self, request: FlagsRequest, story: Answer, pieces: Sequence[Filled]) -> tuple[Answer, bool]:
        """Return the answer of all pieces together, the story itself when they say nothing; and whether it is whole."""
        records, sources = await _merged(pieces)
        is_partial = _is_partial(request, pieces, sources)
        if not records and is_partial:
            return story, False
        around = next((piece.envelope for piece in pieces if piece.envelope is not None), None)
        wish = wish_of(request)
        envelope = self.named(around or standing_in(wish, is_minimal=False), errors=is_partial or request.policy.mark_stale)
        body = compose(wish, records, envelope)
        answer = msgspec.structs.replace(
            story,
            content=Assembled(body, sources),
            source=next(iter(sources.values()), pieces[0].source),
            age_s=max(piece.age_s for piece in pieces),
        )
        return answer, not is_partial

    def named(self, envelope: Envelope, *, errors: bool) -> Envelope:
        """Return an envelope with an id and a time of our own; `errors` is what `errorsWhileComputingFlags` will say."""
        return msgspec.structs.replace(envelope, errors=errors, request_id=self._new_id(), evaluated_at=self._now_ms())

    def around(self, *, is_minimal: bool) -> Envelope:
        """Return what stands around flags that are certain, with an id and a time of our own."""
        return Envelope(request_id=self._new_id(), evaluated_at=self._now_ms(), minimal_flag_called_events=is_minimal)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


async def _merged(pieces: Sequence[Filled]) -> tuple[dict[str, Record], dict[str, Source]]:
    records: dict[str, Record] = {}
    sources: dict[str, Source] = {}
    for piece in pieces:
        for key, record in (await _records(piece)).items():
            if key not in records:
                records[key], sources[key] = record, piece.source
    return records, sources


async def _records(piece: Filled) -> Mapping[str, Record]:
    if piece.content is None:
        return piece.records
    answer = await in_slices(remembered(piece.content.body))
    return {} if answer is None else answer.records


def _is_partial(request: FlagsRequest, pieces: Sequence[Filled], sources: Mapping[str, Source]) -> bool:
    """Tell whether a flag that was asked for may be missing: by the definitions where there are some, else by its key."""
    lacking = next((piece.lacking for piece in pieces if piece.lacking is not None), None)
    if lacking is not None:
        return not sources.keys() >= lacking
    return not sources or (request.asked is not None and not sources.keys() >= set(request.asked))
