"""The local rung: what the definitions held say about this very request, wherever that is certain.

It needs neither memory nor upstream, so it answers people never seen before. What it is not certain about is left to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from multidict import CIMultiDict

from proxy.answer.answer import Source
from proxy.answer.intake.body import Framing, Trouble, inflate, media_type, read_strictly
from proxy.answer.intake.lenient import read_leniently
from proxy.answer.intake.query import read_query
from proxy.answer.request import FlagsRequest, Key, ProjectName
from proxy.answer.shape import standing_in, wish_of
from proxy.clock import Clock
from proxy.config.settings import Definitions
from proxy.definitions.held import Held, HeldSet
from proxy.definitions.local import Findings, Question, find, find_at_once, question_of, switched_off
from proxy.pauses import in_slices

from .rung import Filled

EVALUATED_BYTES: Final = 16 * 1024
"""Larger bodies, gunzipped, are not evaluated here: one comparison with their values would hold the loop. SDKs send 2 KiB."""

REMEMBERED: Final = 2048
REMEMBERED_BYTES: Final = 2048
"""So many short questions are recognised when they are asked again: their key holds all they were made from. At most 20 MiB."""

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Look(msgspec.Struct, frozen=True):
    """One request, looked at in the light of the definitions held."""

    held: HeldSet
    question: Question
    findings: Findings

    @property
    def is_for_all(self) -> bool:
        """No flags are named: whatever there is was asked for."""
        return self.question.selection.flag_keys is None


class LocalRung:
    """Answers from definitions. `rules`: the projects that have some, and how."""

    def __init__(self, held: Held, rules: Mapping[ProjectName, Definitions], *, clock: Clock, inflated_bytes: int) -> None:
        self._held = held
        self.rules = rules
        self._clock = clock
        self._questions: dict[Key, Question] = {}
        self._inflated_bytes = min(inflated_bytes, EVALUATED_BYTES)

    async def fill(self, request: FlagsRequest, missing: frozenset[str] | None) -> Filled | None:  # noqa: ARG002 - evaluating one flag evaluates what it depends on
        """Fill what can be found, and say of what is off that it is off."""
        look = await self.look(request)
        if look is None:
            return None
        return Filled(
            source=Source.LOCAL,
            age_s=look.held.age_s(self._clock),
            records={**switched_off(look.held, look.question), **look.findings.records()},
            lacking=look.findings.undecided,
            envelope=standing_in(wish_of(request), is_minimal=look.held.definitions.minimal_flag_called_events),
        )

    async def look(self, request: FlagsRequest) -> Look | None:
        """Evaluate a request; None when its project has no definitions, or it cannot be answered from what it says."""
        held = self._held.get(request.project)
        question = None if held is None else self.question(request)
        if held is None or question is None:
            return None
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        findings = find_at_once(held, question, now=now)
        if findings is None:
            findings = await in_slices(find(held, question, now=now))
        return Look(held, question, findings)

    def listed(self, request: FlagsRequest) -> frozenset[str]:
        """Name the flags that an error-free answer to a request lists by the definitions held; none where they cannot tell."""
        held = self._held.get(request.project)
        question = None if held is None else self.question(request)
        if held is None or question is None:
            return frozenset()
        asked, live = question.selection.flag_keys, held.program.keys(question.selection)
        return live if asked is None else live.intersection(asked)

    def question(self, request: FlagsRequest) -> Question | None:
        """Read what a request asks; None when its project keeps no definitions, or they can't answer it."""
        known = None if request.key is None else self._questions.get(request.key)
        if known is not None:
            return known
        question = self._read(request)
        if question is not None and request.key is not None and len(request.body) <= REMEMBERED_BYTES:
            if len(self._questions) >= REMEMBERED:
                self._questions.clear()
            self._questions[request.key] = question
        return question

    def _read(self, request: FlagsRequest) -> Question | None:
        rules = self.rules.get(request.project)
        if rules is None or request.method != "POST":
            return None
        headers = CIMultiDict(request.headers)
        fields = self._fields(request, headers)
        if fields is None:
            return None
        wish = wish_of(request)
        return question_of(fields, headers, survey_only=wish.survey_only, timezone=rules.timezone)

    def _fields(self, request: FlagsRequest, headers: CIMultiDict[str]) -> Mapping[str, Any] | None:
        """Read the body once more: the line carries bytes, not fields. Leniently, where that is how the service reads it."""
        query = read_query(request.query)
        if query.identity is None or len(request.body) > EVALUATED_BYTES:
            return None
        framing = Framing(media_type(headers.get("Content-Type")), headers.get("Content-Encoding", ""), query.compression)
        text = inflate(request.body, framing, inflated_bytes=self._inflated_bytes)
        if request.key is not None and not isinstance(text, Trouble):
            return _decode(text)  # it was read strictly when the key was made
        strict = None if isinstance(text, Trouble) else read_strictly(text)
        return strict or read_leniently(request.body, framing, inflated_bytes=self._inflated_bytes)
