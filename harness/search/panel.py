"""The subjects of a search, asked together; what each disagreement with the base is, declining kept apart.

The base is asked twice where it can: as a local evaluator, and as a server that knows everything there is (with nothing
stored). Where the local base must decline and a subject decides nevertheless, the second answer tells whether the subject was
right: if it was not, the subject is `rash`. Two that can both be asked as servers are compared in that position as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from harness.case import Document, Person, request_of
from harness.compare import Kind, compare, same_json
from harness.subjects.child import Child, Outcome, Trouble
from harness.subjects.protocol import Reply, Status, Verdict

SERVER: Final = "server_evaluation"
LOCAL: Final = "local_evaluation"
BOTH_REFUSED: Final = "both refused"
"""About a whole document: no disagreement, and no answer about its other flags either."""
PATIENCE: Final = 1
"""A document that makes a subject hang would make it hang for every person, and each costs a wait."""


_ONE_DECLINES: Final = frozenset({Kind.SUBJECT_DECLINES, Kind.BASE_DECLINES})
Pair: TypeAlias = "tuple[Child, Child]"
"""Whom to compare with, and who is compared."""


class Divergence(msgspec.Struct, frozen=True):
    """One subject's difference from the base about one person, and one flag where it is about one."""

    base: str
    subject: str
    kind: str
    person: int
    flag_key: str | None = None
    base_answer: Verdict | None = None
    subject_answer: Verdict | None = None
    detail: str = ""


class Tally(msgspec.Struct):
    """What a search compared, by subject: pairs, and how each pair related."""

    pairs: int = 0
    kinds: dict[str, Counter[str]] = msgspec.field(default_factory=dict)

    def count(self, subject: str, kind: str) -> None:
        """Count one pair of one subject."""
        self.kinds.setdefault(subject, Counter())[kind] += 1


class Panel:
    """A base and others, and where there are several host zones, each subject's twins. One document at a time; not for
    concurrent callers.

    A twin is the same subject in another host zone. It is compared with its own first self, so that what it differs in is the
    zone's doing and nobody's disagreement.

    `strict` is for versions of one implementation: declining where the other decides is a difference then.
    """  # noqa: D205 — the first sentence is longer than a line

    def __init__(
        self,
        base: Child,
        others: Sequence[Child],
        twins: Sequence[Pair] = (),
        *,
        tally: Tally | None = None,
        strict: bool = False,
    ) -> None:
        self.base = base
        self.strict = strict
        self.pairs: tuple[Pair, ...] = (*((base, other) for other in others), *twins)
        self.tally = tally or Tally()

    def only(self, subject: str) -> Panel:
        """Return a panel of one subject and whom it is compared with; what it asks counts in no tally of this one."""
        base, child = next(pair for pair in self.pairs if pair[1].launch.name == subject)
        return Panel(base, [child], strict=self.strict)

    def of_those_who(self, needs: Collection[str]) -> Panel | None:
        """Return the part that has all these capabilities, counting into the same tally; None where no two are left."""
        pairs = [pair for pair in self.pairs if all(set(needs) <= set(child.capabilities) for child in pair)]
        return Panel(self.base, [], pairs, tally=self.tally, strict=self.strict) if pairs else None

    def compares(self, base: str, subject: str) -> bool:
        """Tell whether these two are compared here."""
        return (base, subject) in {(one.launch.name, other.launch.name) for one, other in self.pairs}

    @contextlib.contextmanager
    def hurried(self, answer_s: float) -> Iterator[None]:
        """Wait less for those who are compared, for a while: for whoever knows that they hang. The base has its usual time."""
        children = [child for _, child in self.pairs]
        usual = [child.answer_s for child in children]
        for child in children:
            child.answer_s = answer_s
        try:
            yield
        finally:
            for child, before in zip(children, usual, strict=True):
                child.answer_s = before

    async def differences(self, definitions: Document, people: Sequence[Person]) -> list[Divergence]:
        """Put one document and its people to all; return every difference."""
        children = self._children()
        gathered = await asyncio.gather(*(_answers(child, definitions, people) for child in children))
        answers = dict(zip(children, gathered, strict=True))
        keys = [flag["key"] for flag in definitions["flags"]]
        self.tally.pairs += len(keys) * len(people)
        found: list[Divergence] = []
        for base, child in self.pairs:
            (local, complete), (theirs, as_server) = answers[base], answers[child]
            serves = SERVER in base.capabilities and SERVER in child.capabilities
            for n in range(len(people)):
                is_server = serves and LOCAL not in child.capabilities
                judged = [] if is_server else self._judged((base, child), keys, n, (local[n], complete[n], theirs[n]))
                if serves and not judged:
                    judged = self._judged((base, child), keys, n, (complete[n], complete[n], as_server[n]))
                found += judged
        return found

    def _children(self) -> list[Child]:
        return list(dict.fromkeys(child for pair in self.pairs for child in pair))

    def _judged(self, pair: Pair, keys: Sequence[str], n: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> list[Divergence]:
        local, complete, theirs = outcomes
        base, subject = (child.launch.name for child in pair)
        if _refuses(local) and _refuses(theirs):
            self.tally.count(subject, BOTH_REFUSED)
            return [Divergence(base, subject, BOTH_REFUSED, n)]
        for name, outcome in ((base, local), (subject, theirs)):
            if isinstance(outcome, Trouble) or outcome.flags is None:
                self.tally.count(subject, _broken(outcome)[0])
                kind, detail = _broken(outcome)
                return [Divergence(base, subject, kind if name == subject else f"base {kind}", n, detail=detail)]
        found = []
        for key in keys:
            ours, whole, its = (_verdict(outcome, key) for outcome in (local, complete, theirs))
            kind = related(ours, whole, its)
            self.tally.count(subject, kind.value)
            if kind.is_difference or (self.strict and kind in _ONE_DECLINES):
                found.append(Divergence(base, subject, kind.value, n, key, whole if kind is Kind.RASH else ours, its))
        return found


def _refuses(outcome: Outcome) -> bool:
    return not isinstance(outcome, Trouble) and outcome.flags is None


def related(local: Verdict | None, complete: Verdict | None, subject: Verdict | None) -> Kind:
    """Return how a subject's answer relates to the base's two.

    A flag that the base leaves out and that the subject hands to the service is no difference.
    """
    if _decline_differently(local, subject):
        return Kind.REASON
    if local is None and subject is not None and subject.status is Status.INCONCLUSIVE:
        return Kind.BOTH_DECLINE
    kind = compare(local, subject)
    if kind is Kind.BASE_DECLINES and compare(complete, subject) in {Kind.VALUE, Kind.PAYLOAD}:
        return Kind.RASH
    return kind


def _decline_differently(local: Verdict | None, subject: Verdict | None) -> bool:
    """Tell whether neither decides, both in the same way, and each gives a reason of its own."""
    if local is None or subject is None or local.status is not subject.status or local.status is Status.VALUE:
        return False
    told = local.reason is not None and subject.reason is not None
    return told and not same_json(local.reason, subject.reason)


async def _answers(child: Child, definitions: Document, people: Sequence[Person]) -> tuple[list[Outcome], list[Outcome]]:
    loaded = await child.load(definitions)
    if isinstance(loaded, Trouble) or loaded.error is not None:
        return [loaded] * len(people), [loaded] * len(people)
    asked: list[Mapping[str, Any]] = [request_of(person) for person in people]
    if not {SERVER, LOCAL} <= set(child.capabilities):
        answers = await child.ask(asked, patience=PATIENCE)
        return answers, answers
    both = await child.ask([*asked, *({**request, "properties_complete": True} for request in asked)], patience=PATIENCE)
    return both[: len(people)], both[len(people) :]


def _broken(outcome: Outcome) -> tuple[str, str]:
    if isinstance(outcome, Trouble):
        return outcome.kind.value, outcome.detail
    return "refused", "no flags in the answer" if outcome.error is None else f"{outcome.error.kind}: {outcome.error.message}"


def _verdict(outcome: Outcome, key: str) -> Verdict | None:
    assert isinstance(outcome, Reply)
    assert outcome.flags is not None
    return outcome.flags.get(key)
