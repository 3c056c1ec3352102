"""From what happened to figures, and from figures to what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from harness.faults.fault import Emptied, Outdated, Shrunk
from harness.faults.semantic.edits import first_flags

from .script import History
from .shot import OK, Shot, Values
from .truth import Truth, Wrong, version_at

TRIP_S: Final = 5.0
NORMAL_S: Final = 30.0
LOAD_RATIO: Final = 0.02
SLOWER: Final = 3.0
OPEN_RATIO: Final = 0.95
"""A stretch counts as open when of the requests that memory alone could not answer so many were kept from upstream."""


class Stretch(msgspec.Struct, frozen=True):
    """The time between two samples: what was asked of the proxy, and what of the service."""

    shots: Sequence[Shot]
    exchanges: int

    @property
    def is_open(self) -> bool:
        """The breaker was open throughout, but for probes."""
        asking = [shot for shot in self.shots if not shot.is_fresh_hit]
        return bool(asking) and sum(shot.is_refused_by_breaker for shot in asking) >= OPEN_RATIO * len(asking)


class Figures(msgspec.Struct, frozen=True):
    """What one performance came to. Times in seconds; None: it did not happen, or cannot be said.

    Attributes:
        known: Answers for known keys.
        known_failed: … that were no flags.
        strangers: Answers for others.
        strangers_failed: … that were no flags.
        trip_s: From the fault to the first answer that the breaker kept from upstream.
        open_s: How long it was open, as far as samples tell.
        load_ratio: Of what callers asked while open, what reached the service.
        normal_s: From the end of the fault to the last answer that shows trouble.
        open_p99_s: Of all answers while open.
        hit_p99_s: Of fresh hits.
        checked: Answers held to the truth.
        wrong: Those that it does not bear out.
        as_said: Those that are the service's own untruth: it said so, as a good answer, and nothing at hand knew better.
        labels: How often each kind of answer came during the fault.
    """

    known: int
    known_failed: int
    strangers: int
    strangers_failed: int
    trip_s: float | None
    open_s: float
    load_ratio: float | None
    normal_s: float
    open_p99_s: float | None
    hit_p99_s: float | None
    checked: int
    wrong: list[Wrong]
    as_said: int
    labels: dict[str, int]

    @property
    def wrong_known(self) -> list[Wrong]:
        """Those of them that were for known keys."""
        return [each for each in self.wrong if each.shot.is_known]

    @property
    def wrong_strangers(self) -> list[Wrong]:
        """Those of them that were for others."""
        return [each for each in self.wrong if not each.shot.is_known]


def figures(history: History, truth: Truth) -> Figures:
    """Reckon."""
    shots = [shot for shot in history.shots if shot.due_at >= history.fault_at]
    known, strangers = [s for s in shots if s.is_known], [s for s in shots if not s.is_known]
    stretches = [each for each in _stretches(history) if each.is_open]
    open_shots = [shot for each in stretches for shot in each.shots]
    answered = [shot for shot in history.shots if shot.status == OK and shot.content is not None]
    wrong, as_said = _wrong(history, truth, answered)
    return Figures(
        known=len(known),
        known_failed=sum(_has_failed(shot) for shot in known),
        strangers=len(strangers),
        strangers_failed=sum(_has_failed(shot) for shot in strangers),
        trip_s=_first(shots, history.fault_at),
        open_s=sum(each.shots[-1].due_at - each.shots[0].due_at for each in stretches),
        load_ratio=sum(each.exchanges for each in stretches) / len(open_shots) if open_shots else None,
        normal_s=max([shot.received_at - history.ended_at for shot in shots if not shot.is_normal], default=0.0),
        open_p99_s=p99(shot.latency_s for shot in open_shots),
        hit_p99_s=p99(shot.latency_s for shot in history.shots if shot.is_fresh_hit),
        checked=len(answered),
        wrong=wrong,
        as_said=as_said,
        labels=_labels(shots, history.ended_at),
    )


def complaints(history: History, found: Figures) -> list[str]:
    """Say what is wrong with a performance, by the marks of issue 4; what the service itself said so is counted apart."""
    today, said = history.scenario.today, []
    if found.known_failed:
        said.append(f"{found.known_failed} of {found.known} answers for known keys failed")
    if found.wrong_known:
        said.append(f"{len(found.wrong_known)} answers for known keys are wrong: {found.wrong_known[0].why}")
    if found.wrong_strangers:
        said.append(f"{len(found.wrong_strangers)} answers for strangers are wrong: {found.wrong_strangers[0].why}")
    if today.trips and (found.trip_s is None or found.trip_s > TRIP_S):
        said.append("it did not trip" if found.trip_s is None else f"it took {found.trip_s:.1f} s to trip")
    if found.load_ratio is not None and found.load_ratio > LOAD_RATIO:
        said.append(f"{found.load_ratio:.1%} of what was offered reached the service while open")
    if found.normal_s > NORMAL_S:
        said.append(f"answers were normal only {found.normal_s:.1f} s after the end")
    if found.open_p99_s is not None and found.hit_p99_s is not None and found.open_p99_s > SLOWER * found.hit_p99_s:
        said.append(f"p99 while open is {found.open_p99_s / found.hit_p99_s:.1f} × that of fresh hits")
    return said


def p99(latencies: Iterable[float]) -> float | None:
    """Return the 99th percentile (nearest rank); None of nothing."""
    found = sorted(latencies)
    return found[max(0, -(-99 * len(found) // 100) - 1)] if found else None


def _has_failed(shot: Shot) -> bool:
    return shot.status != OK or shot.content is None


def _first(shots: Sequence[Shot], fault_at: float) -> float | None:
    times = [shot.received_at for shot in shots if shot.is_refused_by_breaker]
    return min(times) - fault_at if times else None


def _stretches(history: History) -> list[Stretch]:
    """Cut the fault at the samples; requests are in the order in which they were due."""
    found, samples = [], [s for s in history.samples if history.fault_at <= s.at <= history.ended_at]
    for before, after in pairwise(samples):
        inside = [shot for shot in history.shots if before.at <= shot.due_at < after.at]
        if inside:
            found.append(Stretch(inside, after.exchanges - before.exchanges))
    return found


def _wrong(history: History, truth: Truth, answered: Sequence[Shot]) -> tuple[list[Wrong], int]:
    """Hold every answer to the truth; return those that are wrong, and how many more are the service's own untruth."""
    found, as_said = list[Wrong](), 0
    for shot in answered:
        assert shot.content is not None
        given = history.contents.values[shot.content]
        why = truth.check(shot, given, history.changes, late_s=history.late_s, holds_definitions=history.plan.holds_definitions)
        if why and shot.is_normal and given in _untruths(history, truth, shot):
            as_said += 1
        elif why:
            found.append(Wrong(shot, why))
    return found, as_said


def _untruths(history: History, truth: Truth, shot: Shot) -> list[Values]:
    """Return what the service's faults make of the truth for this user, where nothing at hand can tell.

    An emptied or shrunk answer can be told from what was said before to the same user, or from definitions held.
    """
    if shot.received_at < history.fault_at:
        return []
    can_tell, found = shot.is_known or history.plan.holds_definitions, list[Values]()
    for fault in [rule.fault for phase in history.scenario.phases for rule in phase.rules]:
        match fault:
            case Outdated():
                found.append(truth.of(shot.user, version_at(history.changes, history.fault_at)))
            case Emptied() if not can_tell:
                found.append({})
            case Shrunk(kept=kept) if not can_tell:
                found += [first_flags(true, kept) for true in truth.allowed(shot, history.changes, late_s=history.late_s)]
            case _:
                pass
    return found


def _labels(shots: Sequence[Shot], ended_at: float) -> dict[str, int]:
    found: dict[str, int] = {}
    for shot in shots:
        if shot.due_at < ended_at:
            source = "fresh" if shot.is_fresh_hit else shot.detail or ("live" if shot.status == OK else str(shot.status))
            label = f"{source} ({shot.trouble})" if shot.trouble else source
            found[label] = found.get(label, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
