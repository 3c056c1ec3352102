"""Which set may take the place of the one held: what upstreams get wrong is refused, what people do passes at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.config.settings import Definitions as Rules
from proxy.config.settings import SecretSource
from proxy.definitions.admission import Accepted, Held, Refused, Verdict, admit
from proxy.definitions.document import DefinitionsSet, definitions_set, parsed
from tests.fakes.definitions import flag, flags, kept

NOW = datetime(2025, 3, 1, tzinfo=UTC)
RULES = Rules(key=SecretSource(env="KEY"))
COHORT = {"type": "AND", "values": [{"type": "person", "key": "plan", "value": "pro", "operator": "exact"}]}


def of_cohort(number: int) -> list[dict[str, Any]]:
    return [{"type": "cohort", "key": "id", "value": number}]


def judge(new: DefinitionsSet, held: DefinitionsSet | None, rules: Rules = RULES, **how: Any) -> Verdict:
    return admit(new, None if held is None else parsed(held), rules=rules, now=NOW, **how)


def why(verdict: Verdict) -> tuple[type[Any], str]:
    return type(verdict), "" if isinstance(verdict, Accepted) else verdict.reason.code


GARBAGE = [
    b"",
    b"<html>",
    b"[]",
    b"null",
    b"{}",
    b'{"flags": {}}',
    b'{"flags": [], "cohorts": 3}',
    b"\xff",
    b'{"detail": "no"}',
]


@pytest.mark.parametrize("body", GARBAGE)
@pytest.mark.parametrize("held", [None, kept(flags(2))])
def test_garbage_is_refused_whether_or_not_something_is_held(body: bytes, held: DefinitionsSet | None) -> None:
    garbage = definitions_set("shop", body, etag=None, fetched_at_wall=0)
    assert why(judge(garbage, held)) == (Refused, "unparsable")


def test_the_first_set_is_accepted_even_an_empty_one() -> None:
    assert why(judge(kept([]), None)) == (Accepted, "")


def test_the_same_flags_again_are_accepted() -> None:
    assert why(judge(kept(flags(20)), kept(flags(20)))) == (Accepted, "")


@pytest.mark.parametrize("count", [1, 2, 50])
def test_an_emptied_set_is_refused(count: int) -> None:
    assert why(judge(kept([]), kept(flags(count)))) == (Refused, "emptied")


def test_a_set_of_nothing_but_spoiled_flags_is_as_good_as_empty() -> None:
    assert why(judge(kept(flags(2, filters="?")), kept(flags(2)))) == (Refused, "emptied")


def test_a_set_may_stay_empty() -> None:
    assert why(judge(kept([]), kept([]))) == (Accepted, "")


SHRUNK = [
    # flags held, flags left, verdict: refused past 30 % and from 5 flags on
    (20, 14, ""),
    (20, 13, "shrunk"),
    (4, 1, ""),
    (5, 1, ""),
    (6, 1, "shrunk"),
    (100, 70, ""),
    (100, 69, "shrunk"),
]


@pytest.mark.parametrize(("before", "after", "code"), SHRUNK)
def test_a_set_that_lost_much_is_refused(before: int, after: int, code: str) -> None:
    # Flags that are off: what they lose is not the canary's affair.
    verdict = judge(kept(flags(before, rollout=0)[:after]), kept(flags(before, rollout=0)))
    assert why(verdict) == ((Refused, code) if code else (Accepted, ""))


def test_the_limits_of_shrinking_are_settings() -> None:
    rules = Rules(key=SecretSource(env="KEY"), shrink_ratio=0.05, shrink_flags=2)
    assert why(judge(kept(flags(20)[2:]), kept(flags(20)), rules)) == (Refused, "shrunk")
    assert why(judge(kept(flags(20)[1:]), kept(flags(20)), rules)) == (Accepted, "")


def test_new_names_do_not_make_up_for_lost_ones() -> None:
    assert why(judge(kept([flag(f"new{number}") for number in range(20)]), kept(flags(20)))) == (Refused, "shrunk")


def test_a_reason_counts_and_names_a_few() -> None:
    verdict = judge(kept(flags(20)[:10]), kept(flags(20)))
    assert isinstance(verdict, Refused)
    assert verdict.reason.detail == "10 of 20 flags are missing or unreadable: f010, f011, f012, f013, f014, …"


def test_one_spoiled_flag_does_not_spoil_the_set() -> None:
    verdict = judge(kept([*flags(19), flag("f019", filters=[])]), kept(flags(20)))
    assert isinstance(verdict, Accepted)
    assert [each.key for each in verdict.definitions.flags if each.defect] == ["f019"]


def test_many_spoiled_flags_are_lost_flags() -> None:
    assert why(judge(kept([*flags(10), *flags(20, filters=[])[10:]]), kept(flags(20)))) == (Refused, "shrunk")


VERSIONS = [
    # held id and version, new id and version, verdict
    ((1, 5), (1, 4), "version_fell"),
    ((1, 5), (1, 5), ""),
    ((1, 5), (1, 6), ""),
    ((1, 5), (2, 1), ""),  # deleted and made again under the same key
    ((1, 5), (1, None), ""),  # not said
    ((1, None), (1, 1), ""),
]


@pytest.mark.parametrize(("held", "new", "code"), VERSIONS)
def test_a_set_with_a_flag_older_than_held_is_suspect(held: Any, new: Any, code: str) -> None:
    def one(number: int, version: int | None) -> DefinitionsSet:
        return kept([flag("a"), flag("b", id=number, version=version)])

    assert why(judge(one(*new), one(*held))) == ((Refused, code) if code else (Accepted, ""))


GROUPED = flag("grouped", rollout=50, filters={"groups": [{"properties": []}], "aggregation_group_type_index": 1})
GROUP_FILTER = flag(
    "filter", properties=[{"type": "group", "key": "x", "value": 1, "operator": "exact", "group_type_index": 1}]
)
BOTH = {"0": "organization", "1": "project"}


@pytest.mark.parametrize("entry", [GROUPED, GROUP_FILTER])
def test_a_group_type_that_flags_use_may_not_get_lost(entry: Any) -> None:
    held = kept([entry, flag("a")], group_type_mapping=BOTH)
    assert why(judge(kept([entry, flag("a")], group_type_mapping={"0": "organization"}), held)) == (Refused, "group_types_lost")


def test_the_mapping_of_group_types_may_not_be_emptied() -> None:
    assert why(judge(kept(flags(2)), kept(flags(2), group_type_mapping=BOTH))) == (Refused, "group_types_lost")


def test_a_group_type_that_no_flag_uses_may_go() -> None:
    held = kept([GROUPED], group_type_mapping=BOTH)
    assert why(judge(kept([GROUPED], group_type_mapping={"1": "project"}), held)) == (Accepted, "")


def test_cohorts_that_flags_need_may_not_get_lost() -> None:
    entries = [flag("a", properties=of_cohort(7))]
    held = kept(entries, cohorts={"7": COHORT})
    assert why(judge(kept(entries), held)) == (Refused, "cohorts_lost")
    assert why(judge(kept(entries, cohorts={"7": {"type": "XOR", "values": []}}), held)) == (Refused, "cohorts_lost")


def test_cohorts_behind_cohorts_count() -> None:
    outer = {"type": "AND", "values": [{"type": "cohort", "key": "id", "value": 8}]}
    entries = [flag("a", properties=of_cohort(7))]
    held = kept(entries, cohorts={"7": outer, "8": COHORT})
    assert why(judge(kept(entries, cohorts={"7": outer}), held)) == (Refused, "cohorts_lost")
    assert why(judge(held, held)) == (Accepted, "")


def test_cohorts_that_were_never_there_or_are_not_needed_prove_nothing() -> None:
    static = [flag("a", properties=of_cohort(7))]
    assert why(judge(kept(static), kept(static))) == (Accepted, "")
    assert why(judge(kept([flag("a")]), kept([flag("a")], cohorts={"7": COHORT}))) == (Accepted, "")


@pytest.mark.parametrize("value", ["9" * 5000, True, None, [7], "٣", -7, 10**25])
def test_odd_names_of_cohorts_are_no_trouble(value: Any) -> None:
    entries = [flag("a", properties=[{"type": "cohort", "key": "id", "value": value}])]
    assert why(judge(kept(entries), kept(entries, cohorts={"7": COHORT}))) == (Accepted, "")


SWITCHES = [
    [flag("f000", rollout=0), *flags(20)[1:]],
    [flag("f000", active=False), *flags(20)[1:]],
    [flag("f000", deleted=True), *flags(20)[1:]],
    flags(20)[1:],
    [*flags(4, active=False), *flags(20)[4:]],
    [*flags(6, active=False), *flags(20)[6:]],
    [*flags(20), *(flag(f"new{number}") for number in range(20))],
]


@pytest.mark.parametrize("entries", SWITCHES)
def test_what_people_do_to_some_flags_passes_at_once(entries: list[Any]) -> None:
    assert why(judge(kept(entries), kept(flags(20)))) == (Accepted, "")


@pytest.mark.parametrize("change", [{"rollout": 0}, {"active": False}, {"deleted": True}])
def test_what_changes_many_values_at_once_is_held(change: dict[str, Any]) -> None:
    verdict = judge(kept([*flags(7, **change), *flags(20)[7:]]), kept(flags(20)))
    assert why(verdict) == (Held, "many_values_change")
    assert isinstance(verdict, Held)
    assert verdict.reason.detail.startswith("7 of 20 flags change values at once: f000, ")


def test_a_set_that_took_the_boot_sets_place_only_has_to_have_flags() -> None:
    held = kept(flags(20), group_type_mapping=BOTH)
    assert why(judge(kept([flag("other", version=1)]), held, is_provisional=True)) == (Accepted, "")
    assert why(judge(kept([]), held, is_provisional=True)) == (Refused, "emptied")
