"""The configured rung: the values that the operator gave single flags for when nothing better can answer.

Of a request that names no flags it fills those that are known to be meant for the caller, from the last good answer or from the
definitions held; where neither is there, all of them. A flag known to be off, or gone, gets no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.answer.answer import Source
from proxy.answer.judgement.listing import flags_of
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.rungs.local import LocalRung
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import read_answer, wish_of
from proxy.definitions.held import Held
from proxy.lastgood.memory import Memory

from .failing import configured, rule_of

SURVEY: Final = "survey-targeting-"
"""How the keys of flags begin that alone are evaluated where only survey flags are asked for (contract §1.5)."""


class ConfiguredRung:
    """Answers from settings. `is_gone`: whether a flag of a project is believed to be deleted."""

    def __init__(self, memory: Memory, held: Held, local: LocalRung, *, is_gone: Callable[[ProjectName, str], bool]) -> None:
        self._memory = memory
        self._held = held
        self._local = local
        self._is_gone = is_gone

    async def fill(self, request: FlagsRequest, missing: frozenset[str] | None) -> Filled | None:
        """Fill flags that have a value of their own."""
        flags = request.policy.flags
        if not flags:
            return None
        wanted = self._meant(request) if missing is None else flags.keys() & missing
        found = {key: configured(key, rule_of(flags[key])) for key in wanted if self._may_live(request, key)}
        records = {key: record for key, record in found.items() if record is not None}
        return Filled(source=Source.CONFIGURED, records=records) if records else None

    def _meant(self, request: FlagsRequest) -> set[str]:
        """Return the configured flags that a request for everything is meant to get."""
        keys = set(request.policy.flags)
        if wish_of(request).survey_only:
            keys = {key for key in keys if key.startswith(SURVEY)}
        known = self._known(request)
        return keys if known is None else keys & known

    def _known(self, request: FlagsRequest) -> set[str] | None:
        entry, held = self._memory.get(request.key), self._held.get(request.project)
        reading = None if entry is None else read_answer(entry.value.whole)
        question = None if held is None else self._local.question(request)
        if reading is None and question is None:
            return None
        listed = set() if held is None or question is None else set(held.program.keys(question.selection))
        return listed | (set() if reading is None else flags_of(reading).keys())

    def _may_live(self, request: FlagsRequest, key: str) -> bool:
        held = self._held.get(request.project)
        standing = None if held is None else held.standings.get(key)
        return standing.is_on if standing is not None else not self._is_gone(request.project, key)
