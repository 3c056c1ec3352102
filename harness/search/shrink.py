"""Makes a specimen as small as it goes: each smaller one is put to the same subjects alone, and kept if it still differs so.

Parts go first (flags, cohorts, conditions, filters, switches, properties), then values get simpler. A simpler value must keep
the cause: otherwise a rare difference would shrink into a common one beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from .cause import Specimen, features

TRIALS: Final = 120
_OPTIONAL: Final = (
    "aggregation_group_type_index", "payloads", "multivariate", "holdout", "early_exit", "feature_enrollment",
    "holdout_groups", "super_groups", "version",
)  # fmt: skip
_USUAL: Final = {"active": True, "deleted": False, "ensure_experience_continuity": False}
Differs = Callable[[Specimen], Awaitable[bool]]


async def shrunk(
    specimen: Specimen, differs: Differs, trials: int = TRIALS, has_time: Callable[[], bool] = lambda: True
) -> Specimen:
    """Return the smallest specimen found that still differs; at most `trials` are put to the subjects, while there is time."""
    left = trials
    for candidates, keeps_cause in ((parts, False), (values, True)):
        progress = True
        while progress and left > 0:
            progress = False
            for candidate in candidates(specimen):
                if left <= 0 or not has_time():
                    break
                if keeps_cause and features(candidate) != features(specimen):
                    continue
                left -= 1
                if await differs(candidate):
                    specimen, progress = candidate, True
                    break
    return specimen


def parts(specimen: Specimen) -> Iterator[Specimen]:
    """Yield specimens with one part less, the boldest first."""
    flags = specimen.definitions["flags"]
    if specimen.flag_key is not None and len(flags) > 1:
        yield _edited(specimen, lambda d, _: d.update(flags=[f for f in d["flags"] if f["key"] == specimen.flag_key]))
    yield from _fewer(specimen, lambda d, _: d["flags"], keep=lambda f: f["key"] == specimen.flag_key)
    if specimen.definitions["cohorts"]:
        yield _edited(specimen, lambda d, _: d.update(cohorts={}))
        for key in specimen.definitions["cohorts"]:
            yield _edited(specimen, lambda d, _, key=key: d["cohorts"].pop(key))
    for n, flag in enumerate(flags):
        yield from _smaller_flag(specimen, n, flag)
    for key, tree in specimen.definitions["cohorts"].items():
        yield from _smaller_tree(specimen, key, tree)
    yield from _smaller_person(specimen)
    if specimen.definitions["group_type_mapping"]:
        yield _edited(specimen, lambda d, _: d.update(group_type_mapping={}))


def values(specimen: Specimen) -> Iterator[Specimen]:
    """Yield specimens with one value simpler."""
    for n, flag in enumerate(specimen.definitions["flags"]):
        for c, condition in enumerate(flag["filters"].get("groups") or ()):
            for p, leaf in enumerate(condition.get("properties") or ()):
                for simpler in _simpler(leaf.get("value")):
                    yield _edited(
                        specimen,
                        lambda d, _, at=(n, c, p), v=simpler: _leaf(d, at).update(value=v),
                    )
    for key, value in specimen.person.get("person_properties", {}).items():
        for simpler in _simpler(value):
            yield _edited(specimen, lambda _, who, key=key, v=simpler: who["person_properties"].update({key: v}))
    if specimen.person["distinct_id"] != "a":
        yield _edited(specimen, lambda _, who: who.update(distinct_id="a"))


def _smaller_flag(specimen: Specimen, n: int, flag: Any) -> Iterator[Specimen]:
    filters = flag["filters"]
    for name in _OPTIONAL:
        if filters.get(name):
            yield _edited(specimen, lambda d, _, name=name: d["flags"][n]["filters"].pop(name))
    for name, usual in _USUAL.items():
        if flag.get(name, usual) is not usual:
            yield _edited(specimen, lambda d, _, name=name, usual=usual: d["flags"][n].update({name: usual}))
    for name in ("bucketing_identifier", "evaluation_runtime"):
        if flag.get(name):
            yield _edited(specimen, lambda d, _, name=name: d["flags"][n].pop(name))
    yield from _smaller_conditions(specimen, n, filters.get("groups") or ())


def _smaller_conditions(specimen: Specimen, n: int, conditions: Sequence[Any]) -> Iterator[Specimen]:
    yield from _fewer(specimen, lambda d, _: d["flags"][n]["filters"]["groups"])
    for c, condition in enumerate(conditions):
        for name in ("variant", "aggregation_group_type_index"):
            if name in condition:
                yield _edited(specimen, lambda d, _, c=c, name=name: d["flags"][n]["filters"]["groups"][c].pop(name))
        if condition.get("rollout_percentage", 100) != 100:  # noqa: PLR2004 — everybody
            yield _edited(specimen, lambda d, _, c=c: d["flags"][n]["filters"]["groups"][c].update(rollout_percentage=100))
        yield from _fewer(specimen, lambda d, _, c=c: d["flags"][n]["filters"]["groups"][c]["properties"])


def _smaller_tree(specimen: Specimen, key: str, tree: Any) -> Iterator[Specimen]:
    for member in tree["values"]:
        if "values" in member:
            yield _edited(specimen, lambda d, _, member=member: d["cohorts"].update({key: copy.deepcopy(member)}))
    yield from _fewer(specimen, lambda d, _: d["cohorts"][key]["values"])
    for m, member in enumerate(tree["values"]):
        if "values" in member:
            yield from _fewer(specimen, lambda d, _, m=m: d["cohorts"][key]["values"][m]["values"])


def _smaller_person(specimen: Specimen) -> Iterator[Specimen]:
    for name in ("groups", "group_properties", "person_properties"):
        for key in specimen.person.get(name) or {}:
            yield _edited(specimen, lambda _, who, name=name, key=key: who[name].pop(key))
    if "device_id" in specimen.person:
        yield _edited(specimen, lambda _, who: who.pop("device_id"))


def _simpler(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and len(value) > 1:
        yield from ([member] for member in value)
    if isinstance(value, str) and len(value) > 1:
        yield from dict.fromkeys((value[: len(value) // 2], value[len(value) // 2 :], value[1:], value[:-1]))
    if isinstance(value, int | float) and not isinstance(value, bool) and value not in (0, 1):
        yield from (0, 1)


def _fewer(specimen: Specimen, find: Callable[..., Any], keep: Callable[[Any], bool] = lambda _: False) -> Iterator[Specimen]:
    """Yield specimens whose list lacks a half, then a single member."""
    members = find(specimen.definitions, specimen.person) or []
    size = len(members)
    spans = [(0, size // 2), (size // 2, size)] if size > 3 else []  # noqa: PLR2004 — halves of less are singles
    for first, last in (*spans, *((n, n + 1) for n in range(size))):
        if any(keep(member) for member in members[first:last]):
            continue

        def cut(d: Any, who: Any, first: int = first, last: int = last) -> None:
            del find(d, who)[first:last]

        yield _edited(specimen, cut)


def _leaf(definitions: Any, at: tuple[int, int, int]) -> dict[str, Any]:
    flag, condition, leaf = at
    found: dict[str, Any] = definitions["flags"][flag]["filters"]["groups"][condition]["properties"][leaf]
    return found


def _edited(specimen: Specimen, change: Callable[..., Any]) -> Specimen:
    definitions, person = copy.deepcopy(specimen.definitions), copy.deepcopy(specimen.person)
    change(definitions, person)
    return Specimen(definitions, person, specimen.flag_key)
