"""Why a server's answer differs: small changes to the definitions under which the reference would answer the same.

A flag of a live project cannot be cut smaller to see which part matters. What can be done, without a request, is to suppose one
thing at a time: this filter held, that rollout included nobody, values were compared the other way. What explains the answers
of most people who got a different one is reported; it is a lead, not a proof.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from harness.aimed.oracle import Oracle
from harness.aimed.project import conditions, reduced
from harness.case import Document, Person
from harness.compare import Kind, compare
from harness.search.cause import told
from harness.search.classes import value_class
from harness.subjects.protocol import Status, Verdict

MOST: Final = 250
"""Suppositions tried for one flag."""
PEOPLE: Final = 8
"""People whose answers they are held against."""
_NEVER_SENT: Final = "$holdfast_never_sent"

Triple = tuple[str, str, str]


class Supposition(NamedTuple):
    """One change to the definitions: in words, and what it makes the cause."""

    words: str
    triple: Callable[[Person], Triple]
    document: Document


class Met(NamedTuple):
    """One person, and what the server said about the flag; None where it left the flag out."""

    person: Person
    answer: Verdict | None


def explained(document: Document, key: str, met: Sequence[Met], clock: Callable[[], datetime]) -> tuple[str, Triple] | None:
    """Return, in words and as parts of a cause, what explains most answers, those of the first person for sure."""
    best: tuple[int, str, Triple] | None = None
    for number, supposition in enumerate(suppositions(reduced(document, key), key)):
        if number >= MOST:
            break
        oracle = Oracle(supposition.document, clock=clock, timezone="UTC")
        votes = [_is_same(oracle.ask(one.person).answers.get(key), one.answer) for one in met[:PEOPLE]]
        if votes and votes[0] and (best is None or sum(votes) > best[0]):
            best = (sum(votes), supposition.words, supposition.triple(met[0].person))
    return None if best is None else best[1:]


def suppositions(document: Document, key: str) -> Iterator[Supposition]:
    """Yield what may be supposed about a flag, the likeliest first; the document holds it and what it needs only."""
    for path, leaf, place in _leaves(document):
        for holds in (True, False):
            words = f"the filter on {leaf.get('key')!r} ({leaf.get('operator') or 'exact'}) {place} "
            words += "held" if holds else "did not hold"
            yield Supposition(words, partial(told, leaf), _set(document, path, _constant(holds=holds)))
    yield from _of_values(document)
    for n, flag in enumerate(document["flags"]):
        yield from _of_flag(document, ("flags", n), flag, "" if flag["key"] == key else f" of {flag['key']!r}")


def _of_values(document: Document) -> Iterator[Supposition]:
    version = 1 if document.get("property_matching_version") == 2 else 2  # noqa: PLR2004 — the two ways to compare
    words = f"values were compared as with property_matching_version {version}"
    yield Supposition(
        words, lambda _: ("property_matching_version", "–", "–"), {**document, "property_matching_version": version}
    )


def _of_flag(document: Document, at: tuple[Any, ...], flag: Mapping[str, Any], of: str) -> Iterator[Supposition]:
    filters = (*at, "filters")
    for c, condition in enumerate(conditions(flag)):
        share = condition.get("rollout_percentage")
        here = (*filters, "groups", c)
        for wanted, said in ((100, "included"), (0, "excluded")):
            words = f"the rollout of condition {c}{of} {said} them"
            shown = "no rollout" if share is None else "in between" if share not in (0, 100) else f"{share:g} %"
            yield Supposition(words, _about("rollout", shown), _set(document, (*here, "rollout_percentage"), wanted))
        if condition.get("variant"):
            words = f"the variant pinned by condition {c}{of} did not count"
            yield Supposition(words, _about("pin", "variant"), _set(document, (*here, "variant"), None))
    for variant in (flag["filters"].get("multivariate") or {}).get("variants") or ():
        pinned = [{**one, "variant": variant["key"]} for one in conditions(flag)]
        words = f"they fell into variant {variant['key']!r}{of}"
        yield Supposition(words, _about("variants", "another variant"), _set(document, (*filters, "groups"), pinned))
    for name in ("holdout", "early_exit", "feature_enrollment", "multivariate", "aggregation_group_type_index"):
        if flag["filters"].get(name):
            yield Supposition(f"{name}{of} did not count", _about(name, "set"), _set(document, (*filters, name), None))
    switch = not flag.get("active", True)
    words = f"the flag{of} were {'active' if switch else 'inactive'}"
    yield Supposition(words, _about("active", f"{switch}".lower()), _set(document, (*at, "active"), switch))
    if flag.get("bucketing_identifier") == "device_id":
        words = f"the flag{of} were bucketed by distinct_id"
        yield Supposition(
            words, _about("bucketing_identifier", "device_id"), _set(document, (*at, "bucketing_identifier"), None)
        )


def _about(feature: str, shown: str) -> Callable[[Person], Triple]:
    return lambda person: (feature, shown, value_class(person.get("distinct_id")))


def _leaves(document: Document) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any], str]]:
    for f, flag in enumerate(document["flags"]):
        for c, condition in enumerate(conditions(flag)):
            for p, leaf in enumerate(condition.get("properties") or ()):
                if isinstance(leaf, Mapping) and leaf.get("type") != "cohort":
                    yield ("flags", f, "filters", "groups", c, "properties", p), leaf, f"of condition {c} of {flag['key']!r}"
    for cohort, tree in (document.get("cohorts") or {}).items():
        pending: list[tuple[tuple[Any, ...], Any]] = [(("cohorts", cohort), tree)]
        while pending:
            path, node = pending.pop()
            if isinstance(node, Mapping) and "values" in node:
                pending += [((*path, "values", n), member) for n, member in enumerate(node["values"] or ())]
            elif isinstance(node, Mapping) and "key" in node and node.get("type") != "cohort":
                yield path, node, f"of cohort {cohort}"


def _constant(*, holds: bool) -> dict[str, Any]:
    """Return a filter that holds of everybody, or of nobody, to a server."""
    operator = "is_not_set" if holds else "is_set"
    return {"key": _NEVER_SENT, "type": "person", "operator": operator, "value": operator}


def _set(document: Document, path: Sequence[Any], value: Any) -> Document:
    changed: Any = copy.deepcopy(document)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    found: Document = changed
    return found


def _is_same(ours: Verdict | None, theirs: Verdict | None) -> bool:
    if ours is None or theirs is None or ours.status is not Status.VALUE:
        return ours is None and theirs is None
    return compare(ours, theirs) in {Kind.AGREE, Kind.REASON}
