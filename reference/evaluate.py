"""Definitions × person → outcomes: `compile_definitions` once per definitions version, `Program.evaluate` per request.

A program never changes after it was compiled (but for memos of what it computed), so one may serve many requests and
threads. Nothing here reads a clock, draws a random number or does I/O: `now` and everything about the person are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .context import Context, Runtime, Selection
from .definitions.graph import arrange, closure
from .definitions.model import CohortGroup, Definitions, Flag, PropertyFilter
from .matching.match import Moment
from .matching.operators import compile_filter
from .outcome import Evaluation
from .rules_v1.enrich import FILLED_FROM
from .rules_v1.flag import CompiledFlag, Evaluate
from .rules_v1.subject import Subject
from .rules_v1.targeting.cohorts import Cohorts
from .rules_v1.targeting.condition import Tools
from .rules_v1.targeting.dependencies import Targets, named_targets
from .steps import Steps, finish

EVERYTHING: Final = Selection()
WORK_PER_STEP: Final = 500
"""Filters and conditions between two yields of `Program.steps`: about half a millisecond of plain filters."""

SURVEY_PREFIX: Final = "survey-targeting-"
_KEPT_PLANS: Final = 64
_LONGEST_KEPT: Final = 16_384
"""Characters of names in a selection whose plan is kept (a name counts for 64 at least): callers choose them."""


class Plan(NamedTuple):
    """What one selection evaluates.

    Attributes:
        flags: In order.
        decisions: The same as pairs of key and function, which is all the hot loop needs.
        keys: All it looks at: those flags, and live ones that a dependency cycle keeps from being evaluated.
        has_cycle: It touches a dependency cycle.
        work: How much one evaluation may cost, in filters and conditions.
    """

    flags: tuple[CompiledFlag, ...]
    decisions: tuple[tuple[str, Evaluate], ...]
    keys: frozenset[str]
    has_cycle: bool
    work: int


class Program:
    """Compiled definitions.

    Attributes:
        definitions: What it was compiled from.
    """

    def __init__(
        self,
        definitions: Definitions,
        flags: Mapping[str, CompiledFlag],
        needs: Mapping[str, tuple[str, ...]],
        cyclic: frozenset[str],
    ) -> None:
        self.definitions = definitions
        self._flags = flags
        self._needs = needs
        self._cyclic = cyclic
        self._dependents = _reversed(needs)
        self._live = {flag.key: flag for flag in definitions.flags if _is_live(flag)}
        read = frozenset(_keys_read(definitions))
        self._fill = tuple(key for key in FILLED_FROM if key in read)
        self._plans: dict[Selection, Plan] = {}

    def evaluate(self, context: Context, *, now: datetime, selection: Selection = EVERYTHING) -> Evaluation:
        """Evaluate the selected flags for one person.

        Args:
            context: The person, and how much is known about them.
            now: Aware datetime of the evaluation; relative dates count from it.
            selection: Which flags; all by default.

        Returns:
            The outcomes in evaluation order (a flag after those it depends on). Flags that the service leaves out are
            absent: inactive, deleted or not selected ones, and those on or behind a dependency cycle (contract §5.2, §5.3).

        Raises:
            ValueError: `now` has no time zone.
        """
        return self._evaluate(self._plan(selection), context, now)

    def evaluate_within(self, work: int, context: Context, *, now: datetime, selection: Selection) -> Evaluation | None:
        """Evaluate like `evaluate`, or not at all: None where that may cost more than `work` filters and conditions."""
        plan = self._plan(selection)
        return None if plan.work > work else self._evaluate(plan, context, now)

    def steps(
        self, context: Context, *, now: datetime, selection: Selection = EVERYTHING, work: int = WORK_PER_STEP
    ) -> Steps[Evaluation]:
        """Evaluate like `evaluate`, yielding after each piece of bounded work, for callers that must not block.

        Args:
            context: As for `evaluate`.
            now: As for `evaluate`.
            selection: As for `evaluate`.
            work: Filters and conditions per piece. One flag is never cut: a flag with more than that is a piece of its own.

        Returns:
            What `evaluate` returns, as the generator's return value.

        Raises:
            ValueError: `now` has no time zone.
        """
        plan = self._plan(selection)
        subject = self._subject(context, now)
        done = 0
        for flag in plan.flags:
            subject.outcomes[flag.key] = flag.evaluate(subject)
            done += flag.work
            if done >= work:
                done = 0
                yield
        return _evaluation(subject, plan)

    def keys(self, selection: Selection = EVERYTHING) -> frozenset[str]:
        """Name the live flags that a selection looks at, those included that a dependency cycle leaves without an outcome."""
        return self._plan(selection).keys

    def dependents(self, keys: Iterable[str]) -> set[str]:
        """Name the live flags that depend, directly or not, on one of these; the given keys are among them."""
        return closure(keys, self._dependents)

    def _evaluate(self, plan: Plan, context: Context, now: datetime) -> Evaluation:
        subject = self._subject(context, now)
        outcomes = subject.outcomes
        for key, decide in plan.decisions:
            outcomes[key] = decide(subject)
        return _evaluation(subject, plan)

    def _subject(self, context: Context, now: datetime) -> Subject:
        moment = _moment(context, now)
        return Subject(context, moment, group_types=self.definitions.group_types, fill=self._fill)

    def _plan(self, selection: Selection) -> Plan:
        plan = self._plans.get(selection)
        if plan is None:
            plan = self._select(selection)
            if _is_short(selection):
                if len(self._plans) >= _KEPT_PLANS:
                    self._plans.clear()
                self._plans[selection] = plan
        return plan

    def _select(self, selection: Selection) -> Plan:
        is_meant = selector(selection)
        chosen = {key for key, flag in self._live.items() if is_meant(flag)}
        if selection.flag_keys is not None:
            needs = {key: [need for need in self._needs[key] if need in chosen] for key in chosen}
            chosen = closure((key for key in selection.flag_keys if key in chosen), needs)
        flags = tuple(flag for key, flag in self._flags.items() if key in chosen)
        decisions = tuple((flag.key, flag.evaluate) for flag in flags)
        has_cycle, work = not self._cyclic.isdisjoint(chosen), sum(flag.work for flag in flags)
        return Plan(flags, decisions, frozenset(chosen), has_cycle, work)


def compile_definitions(definitions: Definitions) -> Program:
    """Compile definitions for evaluation: once per definitions version, in linear time and memory."""
    return finish(compile_in_steps(definitions))


def compile_in_steps(definitions: Definitions) -> Steps[Program]:
    """Compile like `compile_definitions`, yielding between flags and cohorts, for callers that must not block."""
    live = {flag.key: flag for flag in definitions.flags if _is_live(flag)}
    targets = Targets(definitions.flags)
    needs = {key: targets.of(flag) for key, flag in live.items()}
    yield
    order, cyclic = arrange(needs)
    lacking = _lacking(live, targets, needs)
    yield
    compile_one = partial(compile_filter, explicit_matching=definitions.explicit_matching)
    cohorts = yield from Cohorts.in_steps(definitions.cohorts, compile_one)
    tools = Tools(compile_one, cohorts, targets)
    flags: dict[str, CompiledFlag] = {}
    for key in order:
        flags[key] = CompiledFlag(live[key], tools, lacks_dependency=key in lacking)
        yield
    return Program(definitions, flags, needs, cyclic)


def _is_live(flag: Flag) -> bool:
    return flag.active and not flag.deleted


def _lacking(live: Mapping[str, Flag], targets: Targets, needs: Mapping[str, Iterable[str]]) -> set[str]:
    """Collect the flags that depend, directly or not, on one that does not exist."""
    starts = [key for key, flag in live.items() if any(targets.find(name) is None for name in named_targets(flag))]
    return closure(starts, _reversed(needs))


def _reversed(needs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {}
    for key, needed in needs.items():
        for need in needed:
            dependents.setdefault(need, []).append(key)
    return dependents


def selector(selection: Selection) -> Callable[[Flag], bool]:
    """Return what tells whether a selection looks at a flag, be it live or not (the filters of contract §5.2)."""
    contexts = frozenset(selection.evaluation_contexts)  # once, not per flag: a request may list half a million

    def is_meant(flag: Flag) -> bool:
        if selection.survey_only and not flag.key.startswith(SURVEY_PREFIX):
            return False
        is_bound = flag.evaluation_runtime is not None and flag.evaluation_runtime != Runtime.ALL
        if is_bound and selection.runtime is not Runtime.ALL and flag.evaluation_runtime != selection.runtime:
            return False
        return not contexts or not flag.evaluation_contexts or not contexts.isdisjoint(flag.evaluation_contexts)

    return is_meant


def _is_short(selection: Selection) -> bool:
    names = (*(selection.flag_keys or ()), *selection.evaluation_contexts)
    return sum(max(64, len(name)) for name in names) <= _LONGEST_KEPT


def _keys_read(definitions: Definitions) -> Iterable[str]:
    """Name every property key that some filter reads."""
    for flag in definitions.flags:
        for condition in flag.conditions:
            yield from (leaf.key for leaf in condition.properties)
    pending: list[CohortGroup] = [cohort.root for cohort in definitions.cohorts.values() if cohort.root is not None]
    while pending:
        for member in pending.pop().members:
            if isinstance(member, CohortGroup):
                pending.append(member)
            elif isinstance(member, PropertyFilter):
                yield member.key


def _evaluation(subject: Subject, plan: Plan) -> Evaluation:
    errors, is_certain = subject.has_failure or plan.has_cycle, not (subject.has_doubt or plan.has_cycle)
    return Evaluation(outcomes=subject.outcomes, errors=errors, is_certain=is_certain)


def _moment(context: Context, now: datetime) -> Moment:
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    zone = _UTC_ZONE if context.timezone is None and context.properties_complete else _zone(context.timezone)
    return Moment(now if now.tzinfo is UTC else now.astimezone(UTC), zone)


@lru_cache(maxsize=256)
def _zone(name: str | None) -> ZoneInfo | None:
    """Load a time zone; a name that is none leaves the zone unknown."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # malformed names, directories of the database, unknown names
        return None


_UTC_ZONE: Final = ZoneInfo("UTC")
