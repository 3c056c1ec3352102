"""Makes one answer out of the records of several rungs, in the shape that was asked for.

The first rung that has a record wins, and each record's source is kept beside the bytes. An assembled answer says that errors
happened whenever a flag that was asked for is missing, or the policy wants answers after a failure marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from proxy.clock import Clock

from .answer import Answer, Assembled, Source
from .request import FlagsRequest
from .rungs.rung import Filled
from .shape import Record, compose, records_in


class Assembler:
    """Renders records; `new_id` names an answer that upstream did not."""

    def __init__(self, *, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    def answer(self, request: FlagsRequest, story: Answer, pieces: Sequence[Filled]) -> Answer:
        """Return the answer of all pieces together; the story unchanged when they hold no record at all."""
        records, sources = _merged(pieces)
        if not records:
            return story
        is_partial = request.asked is not None and not sources.keys() >= set(request.asked)
        body = compose(
            request,
            records,
            errors=is_partial or request.policy.mark_stale,
            request_id=self._new_id(),
            evaluated_at=int(self._clock.wall() * 1000),
        )
        return msgspec.structs.replace(
            story,
            content=Assembled(body, sources),
            source=next(iter(sources.values())),
            age_s=max(piece.age_s for piece in pieces),
        )


def _merged(pieces: Sequence[Filled]) -> tuple[dict[str, Record], dict[str, Source]]:
    records: dict[str, Record] = {}
    sources: dict[str, Source] = {}
    for piece in pieces:
        found = piece.records if piece.content is None else records_in(piece.content.body)
        for key, record in found.items():
            if key not in records:
                records[key], sources[key] = record, piece.source
    return records, sources
