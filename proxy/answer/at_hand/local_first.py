"""Local-first: where a project wants it, the definitions held answer instead of upstream whenever they are certain of all.

Then the service's databases are out of the path. Upstream is asked all the same when a single asked flag is open, when the
service may write on the request, and when the answer has to carry what definitions do not hold: remote config, and the
survey flags of a client that asks for everything (a last good answer tells whether there are any).
"""

from __future__ import annotations

from proxy.answer.answer import Answer, Assembled, Source
from proxy.answer.assemble import Assembler
from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.rungs.local import LocalRung, Look
from proxy.answer.shape import Wish, compose, remembered, wish_of
from proxy.clock import Clock
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept
from proxy.pauses import in_slices


class LocalFirst:
    """Answers without upstream. `projects`: those that want it."""

    def __init__(self, projects: frozenset[ProjectName], rung: LocalRung, assembler: Assembler, *, clock: Clock) -> None:
        self._projects = projects
        self._rung = rung
        self._assembler = assembler
        self._clock = clock

    async def answer(self, request: FlagsRequest, entry: Entry[Kept] | None) -> Answer | None:
        """Return an answer without errors; None when upstream has to be asked. `entry` is the last good answer."""
        if request.project not in self._projects or request.key is None or request.writes:
            return None
        wish = wish_of(request)
        if wish.has_config:
            return None
        look = await self._rung.look(request)
        if look is None or look.findings.undecided or (look.is_for_all and not await _lists_all(look, entry)):
            return None
        content = Assembled(self._written(look, wish), dict.fromkeys(look.findings.outcomes, Source.LOCAL))
        return Answer(content=content, source=Source.LOCAL, age_s=look.held.age_s(self._clock))

    def _written(self, look: Look, wish: Wish) -> bytes:
        held, outcomes = look.held, look.findings.outcomes
        envelope = self._assembler.around(is_minimal=held.definitions.minimal_flag_called_events)
        if wish.shape is held.printed.shape:
            return held.printed.render(outcomes.values(), envelope)
        return compose(wish, outcomes, envelope)


async def _lists_all(look: Look, entry: Entry[Kept] | None) -> bool:
    """Tell whether the definitions list whatever upstream gave last time, or may give to who asks for the first time."""
    if entry is None:
        return not look.question.is_open_ended
    generation, kept = look.held.set.generation, entry.value
    if kept.listed_under != generation:
        answer = await in_slices(remembered(kept.whole.body))
        if answer is None or not look.held.standings.keys() >= answer.records.keys():
            return False
        kept.listed_under = generation
    return True
