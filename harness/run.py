"""One comparison run: the same cases put to a base and to other subjects, the answers compared pair by pair.

A pair is one flag for one person. The run ends after the first case that completes the asked number of pairs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from .case import Case, Document, Person
from .compare import Kind, compare
from .subjects.child import Child, Outcome, Trouble
from .subjects.protocol import Reply, Verdict, evaluate


class Finding(msgspec.Struct, frozen=True):
    """One disagreement, or one request that a subject did not survive, with all that is needed to repeat it.

    `kind` is a difference of `compare.Kind`, a trouble's kind, or `refused` for a driver's error; `flag_key` is None where the
    whole request is concerned.
    """

    subject: str
    kind: str
    definitions: Document
    person: Person | None = None
    flag_key: str | None = None
    base_answer: Verdict | None = None
    subject_answer: Verdict | None = None
    detail: str = ""


KEPT_BYTES: Final = 32 * 1024 * 1024
"""Of findings; a subject that is wrong about everything must not take the machine's memory to tell it."""


class Result(msgspec.Struct):
    """What one subject's comparison with the base came to; `unkept` findings had no room and were only counted."""

    subject: str
    version: str
    pairs: int = 0
    kinds: Counter[Kind] = msgspec.field(default_factory=Counter)
    findings: list[Finding] = msgspec.field(default_factory=list)
    unkept: int = 0
    room_bytes: int = KEPT_BYTES

    def keep(self, finding: Finding) -> None:
        """Keep a finding while there is room."""
        size = 0 if self.unkept else len(msgspec.json.encode(finding))
        if self.unkept or size > self.room_bytes:
            self.unkept += 1
            return
        self.room_bytes -= size
        self.findings.append(finding)

    @property
    def found(self) -> int:
        """How many findings there were, kept or not."""
        return len(self.findings) + self.unkept

    @property
    def decided(self) -> int:
        """Pairs on which both sides were definite."""
        return self.pairs - sum(self.kinds[kind] for kind in (Kind.BOTH_DECLINE, Kind.SUBJECT_DECLINES, Kind.BASE_DECLINES))


async def run(
    base: Child, others: Sequence[Child], cases: Iterator[Case], *, pairs: int, progress: Callable[[int], Any] = lambda _: None
) -> list[Result]:
    """Compare every other subject with the base over at least `pairs` (flag, person) pairs."""
    results = [Result(subject=other.launch.name, version=other.version) for other in others]
    done = 0
    while done < pairs:
        case = next(cases)
        base_answers, *answers = await asyncio.gather(*(_answers(child, case) for child in (base, *others)))
        for result, subject_answers in zip(results, answers, strict=True):
            _judge(result, case, base_answers, subject_answers)
        done += len(case.people) * len(case.flag_keys)
        progress(done)
    return results


async def _answers(child: Child, case: Case) -> list[Outcome]:
    """Return one outcome per person; a document that cannot be loaded is every person's outcome."""
    loaded = await child.load(case.definitions)
    if isinstance(loaded, Trouble) or loaded.error is not None:
        return [loaded] * len(case.people)
    return await child.ask([evaluate(person) for person in case.people])


def _judge(result: Result, case: Case, base: Sequence[Outcome], subject: Sequence[Outcome]) -> None:
    for person, ours, theirs in zip(case.people, base, subject, strict=True):
        result.pairs += len(case.flag_keys)
        broken = _broken("base", ours, case, person) or _broken(result.subject, theirs, case, person)
        if broken is not None:
            result.keep(broken)
            continue
        for key in case.flag_keys:
            _judge_flag(result, case, person, key, _verdict(ours, key), _verdict(theirs, key))


def _judge_flag(result: Result, case: Case, person: Person, key: str, base: Verdict | None, subject: Verdict | None) -> None:
    kind = compare(base, subject)
    result.kinds[kind] += 1
    if kind.is_difference:
        finding = Finding(
            subject=result.subject,
            kind=kind.value,
            definitions=case.only(key),
            person=person,
            flag_key=key,
            base_answer=base,
            subject_answer=subject,
        )
        result.keep(finding)


def _broken(name: str, outcome: Outcome, case: Case, person: Person) -> Finding | None:
    if isinstance(outcome, Trouble):
        return Finding(
            subject=name, kind=outcome.kind.value, definitions=case.definitions, person=person, detail=outcome.detail
        )
    if outcome.flags is None:
        detail = "no flags in the answer" if outcome.error is None else f"{outcome.error.kind}: {outcome.error.message}"
        return Finding(subject=name, kind="refused", definitions=case.definitions, person=person, detail=detail)
    return None


def _verdict(outcome: Outcome, key: str) -> Verdict | None:
    assert isinstance(outcome, Reply)
    assert outcome.flags is not None
    return outcome.flags.get(key)
