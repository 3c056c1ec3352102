"""Is this 200 believable? Only an answer as a whole can be suspect: emptied, or shrunk past a share, against the last good one.

    suspect  =  flags missing that nothing explains  >  judge_ratio of those remembered   and   ≥  judge_flags

A loss is explained by the definitions held (off, gone, or changed since) and by the same loss in an earlier answer to anybody
in the project. So a flag that is switched off is off in the very next answer, whatever its project's size: fewer than
`judge_flags` are never suspect. Questions for single flags whose answers are emptied are counted together: the same measure
holds for the flags that they lost and asked for within the holding time. What is suspect is held until confirmed, then
believed, and said. An answer to a question never asked before is compared with what the definitions held list for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import Reading
from proxy.clock import Clock
from proxy.definitions.held import HeldSet
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept
from proxy.telemetry.logs import Logger

from .listing import flags_of, lists_only_enabled
from .lost.absence import Absences
from .lost.change import NO_FLAGS, Change, by_definitions, flags_before, is_much, mark_if_same, mark_of, may_lack
from .lost.gone import Gone, Measure
from .lost.suspicion import Suspicion


class Finding(StrEnum):
    """What the judge found: a closed vocabulary, also of metrics. The last two are of `lag`, and hold nothing."""

    PLAIN = "plain"
    EXPLAINED = "explained"
    HELD = "held"
    CONFIRMED = "confirmed"
    OUTDATED = "outdated"
    AHEAD = "ahead"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What is to become of one error-free 200.

    Attributes:
        finding: PLAIN: nothing to remark. EXPLAINED: it lacks much, and why is known. HELD: another source should answer,
            and it is not to be remembered. CONFIRMED: believed after such had been held.
        set_mark: Stands for the set of its flags, in this process; to be remembered with it (`Kept.set_mark`).
        missing: How many flags it lacks that nothing explains.
        remembered: How many the last good answer had; 0 where the two were not compared.
    """

    finding: Finding
    set_mark: int
    missing: int = 0
    remembered: int = 0

    @property
    def is_held(self) -> bool:
        """Another source should answer."""
        return self.finding is Finding.HELD


Tell = Callable[[ProjectName, tuple[str, ...], bool], None]
Lists = Callable[[FlagsRequest], AbstractSet[str]]


class Standing(msgspec.Struct):
    """What is known of one project."""

    gone: Gone = msgspec.field(default_factory=Gone)
    absences: Absences = msgspec.field(default_factory=Absences)
    suspicion: Suspicion | None = None

    @property
    def is_quiet(self) -> bool:
        """Nothing is to be learnt from an answer that brings no news."""
        return self.suspicion is None and not len(self.gone) and not len(self.absences)

    def is_drained(self, missing: AbstractSet[str], measure: Measure) -> bool:
        """Tell whether an emptied answer, small as its question may be, is one of too many within the holding time."""
        return bool(missing) and self.gone.is_drained(missing, self.lately_held(measure), measure)

    def lately_held(self, measure: Measure) -> AbstractSet[str]:
        """Return the flags that held answers lack, where one of them was counted within the holding time."""
        suspicion = self.suspicion
        is_fresh = suspicion is not None and measure.now - suspicion.counted_at <= measure.within_s
        return suspicion.missing if suspicion is not None and is_fresh else NO_FLAGS


class Judge:
    """Weighs answers.

    Attributes:
        findings: How often what was found; PLAIN is not counted.
        contradicted: Suspicions that a full answer to a held question ended.
        tell: Called with a project, flags that are now believed to be gone, and whether plainly: for the sibling workers.
        lists: Names the flags that the definitions held list for a request; none where they cannot tell.
    """

    def __init__(self, *, clock: Clock, log: Logger | None = None) -> None:
        self.findings: Counter[tuple[ProjectName, Finding]] = Counter()
        self.contradicted: Counter[ProjectName] = Counter()
        self.tell: Tell = _tell_nobody
        self.lists: Lists = _lists_nothing
        self._projects: dict[ProjectName, Standing] = {}
        self._clock = clock
        self._log = log

    def weigh(self, request: FlagsRequest, reading: Reading, last: Entry[Kept] | None, held: HeldSet | None) -> Verdict:
        """Weigh an answer that is good in itself (`is_worth_remembering`) against the last good one to the same question.

        Everybody's answers are to be weighed, also where nothing is remembered: they tell which flags are there. While the set
        of a question's flags stays the same this is one look at their names, and while their bytes do, at those.
        """
        known = self._projects.get(request.project)
        if last is not None and (known is None or known.is_quiet):
            mark = mark_if_same(reading, last.value)
            if mark is not None:
                return Verdict(Finding.PLAIN, mark)
        flags = flags_of(reading)
        set_mark = hash(frozenset(flags))
        if last is None:
            return self._meet(request, reading, flags.keys(), set_mark, held)
        if set_mark == mark_of(last.value):
            if known is not None:
                self._note(request, known, flags.keys())
            return Verdict(Finding.PLAIN, set_mark)
        known = self._projects.setdefault(request.project, Standing())
        return self._compare(Change(request, reading, flags, last, held, set_mark), known)

    def absent(self, request: FlagsRequest, keys: AbstractSet[str], missing: AbstractSet[str]) -> set[str]:
        """Weigh an answer with errors that has `keys` and lacks `missing` without a word; return the missing that are gone."""
        known = self._projects.setdefault(request.project, Standing())
        self._note(request, known, keys)
        policy, now = request.policy, self._clock.monotonic()
        open_ = {key for key in missing if key not in known.gone}
        every_s = policy.judge_hold_s / policy.judge_confirmations
        believed = known.absences.miss(open_, every_s=every_s, needed=policy.judge_confirmations, now=now)
        if believed:
            self._lose(request, known, believed, is_plain=True)
            self._note_down("absent_flags_believed", project=request.project, flags=len(believed))
        return set(missing) - (open_ - believed)

    def learn(self, project: ProjectName, keys: Iterable[str], *, is_plain: bool) -> None:
        """Take from a sibling what it believes to be gone: a kill switch that one worker saw is explained on all."""
        known = self._projects.setdefault(project, Standing())
        known.gone.add(keys, is_plain=is_plain, now=self._clock.monotonic())

    def is_gone(self, project: ProjectName, key: str) -> bool:
        """Tell whether a flag is believed to be deleted, or off."""
        known = self._projects.get(project)
        return known is not None and key in known.gone

    def suspicion(self, project: ProjectName) -> Suspicion | None:
        """Return what is held against a project's answers now."""
        known = self._projects.get(project)
        return None if known is None else known.suspicion

    def forget(self, project: ProjectName | None = None) -> None:
        """Forget what was learnt of a project, or of all."""
        for name in [project] if project is not None else list(self._projects):
            self._projects.pop(name, None)

    def _compare(self, change: Change, known: Standing) -> Verdict:
        request, policy, measure = change.request, change.request.policy, self._measure(change.request)
        before, held = flags_before(change.last.value), known.lately_held(measure)
        lost = before.keys() - change.flags.keys()
        known.gone.expire(measure.now - max(policy.fresh_s, policy.stale_if_error_s))
        unexplained = lost - by_definitions(lost, before, change)
        unexplained -= known.gone.explained(unexplained, held, measure)
        verdict = Verdict(Finding.PLAIN, change.set_mark, len(unexplained), len(before))
        is_drained = change.is_emptied and known.is_drained(unexplained, measure)
        if (is_drained or is_much(unexplained, before, policy)) and not change.is_ordinary:
            return self._hold(request, known, verdict, unexplained)
        self._note(request, known, change.flags.keys())
        if not lists_only_enabled(change.reading):
            self._lose(request, known, lost, is_plain=len(lost) <= policy.judge_ratio * len(before))
        if is_much(lost, before, policy) and not change.is_ordinary:
            return self._found(request, replace(verdict, finding=Finding.EXPLAINED))
        return verdict

    def _meet(
        self, request: FlagsRequest, reading: Reading, keys: AbstractSet[str], set_mark: int, held: HeldSet | None
    ) -> Verdict:
        """Weigh the answer to a question that nobody remembers an answer to."""
        policy, known = request.policy, self._projects.get(request.project)
        listed = self.lists(request) if may_lack(reading, keys, held, policy) else NO_FLAGS
        if missing := listed - keys:
            standing, measure = known or Standing(), self._measure(request)
            missing -= standing.gone.explained(missing, standing.lately_held(measure), measure)
            if is_much(missing, listed, policy) or (not keys and standing.is_drained(missing, measure)):
                self._projects[request.project] = standing
                return self._hold(request, standing, Verdict(Finding.PLAIN, set_mark, len(missing), len(listed)), missing)
        if known is not None:
            self._note(request, known, keys)
        return Verdict(Finding.PLAIN, set_mark)

    def _hold(self, request: FlagsRequest, known: Standing, verdict: Verdict, missing: AbstractSet[str]) -> Verdict:
        policy, now = request.policy, self._clock.monotonic()
        suspicion = known.suspicion
        is_first = suspicion is None
        if suspicion is None:
            suspicion = known.suspicion = Suspicion(now, now)
        question = 0 if request.key is None else request.key.digest
        suspicion.see(question, missing, every_s=policy.judge_hold_s / policy.judge_confirmations, now=now)
        if suspicion.confirmations < policy.judge_confirmations:
            if is_first:
                self._say("answers_held", request, verdict, suspicion)
            return self._found(request, replace(verdict, finding=Finding.HELD))
        self._lose(request, known, suspicion.missing, is_plain=True)
        known.suspicion = None
        self._say("held_answers_believed", request, verdict, suspicion)
        return self._found(request, replace(verdict, finding=Finding.CONFIRMED))

    def _note(self, request: FlagsRequest, known: Standing, keys: AbstractSet[str]) -> None:
        """Learn from a believed answer which flags are there."""
        known.gone.see(keys, within_s=request.policy.judge_hold_s, now=self._clock.monotonic())
        known.absences.see(keys)
        suspicion = known.suspicion
        if suspicion is None or request.key is None or not suspicion.is_contradicted(request.key.digest, keys):
            return
        known.suspicion = None
        self.contradicted[request.project] += 1
        self._say("held_answers_contradicted", request, Verdict(Finding.PLAIN, 0), suspicion)

    def _lose(self, request: FlagsRequest, known: Standing, keys: Iterable[str], *, is_plain: bool) -> None:
        news = known.gone.add(keys, is_plain=is_plain, now=self._clock.monotonic())
        if news:
            self.tell(request.project, news, is_plain)

    def _measure(self, request: FlagsRequest) -> Measure:
        policy = request.policy
        return Measure(policy.judge_hold_s, policy.judge_flags, policy.judge_ratio, self._clock.monotonic())

    def _found(self, request: FlagsRequest, verdict: Verdict) -> Verdict:
        self.findings[request.project, verdict.finding] += 1
        return verdict

    def _say(self, event: str, request: FlagsRequest, verdict: Verdict, suspicion: Suspicion) -> None:
        self._note_down(
            event,
            project=request.project,
            missing=verdict.missing,
            remembered=verdict.remembered,
            held=suspicion.held,
            for_s=round(self._clock.monotonic() - suspicion.since, 1),
        )

    def _note_down(self, event: str, **fields: str | float) -> None:
        if self._log is not None:
            self._log.warning(event, **fields)


def _tell_nobody(*_: object) -> None:
    """There are no siblings."""


def _lists_nothing(_: FlagsRequest) -> AbstractSet[str]:
    """There are no definitions."""
    return NO_FLAGS
