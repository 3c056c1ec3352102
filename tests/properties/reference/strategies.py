"""Definitions and persons drawn small: few keys, few values, few ids, so that filters match, miss and meet what is unknown.

`documents` draws plausible definitions with every feature; `contexts` persons who know only part of themselves; `completions`
turns such a person into one a server would know everything about.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from reference import Context
from reference.reading import KnownMemberships

KEYS = ("plan", "seats", "day", "$browser", "$initial_browser", "$os", "$geoip_city")
VALUES: tuple[Any, ...] = ("a", "b", "A", 1, 2.5, True, False, None, "2024-03-01", "1.2.3", "true")
COHORT_IDS = (1, 2, 3, 4, 5)
"""5 is never in a document; 4 may be missing."""
GROUP_TYPES = ("organization", "project")
FLAG_KEYS = ("f1", "f2", "f3", "f4", "f5")
VARIANTS = ("x", "y", "z")
PERSONS = ("user-1", "user-2", "user-3", "user-61", "user-105", "")
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati")

_SINGLE = ("exact", "is_not", "icontains", "not_icontains", "starts_with", "not_ends_with", "gt", "lte")
_MORE = ("is_set", "is_not_set", "semver_gte", "semver_neq", "is_date_before", "is_date_after", "regex", "not_regex")
percentages = st.sampled_from((0, 10, 33.34, 50, 90, 100, 100, 100, -1, 150))
values = st.sampled_from(VALUES)


def property_filters(kind: str = "person") -> st.SearchStrategy[dict[str, Any]]:
    """Draw a filter on a property of the person or a group."""
    plain = st.tuples(st.sampled_from(_SINGLE + _MORE), values | st.lists(values, max_size=2))
    ranges = st.tuples(st.sampled_from(("between", "not_between")), st.just([1, 2]))
    index = {"group_type_index": st.sampled_from((0, 1, 3))} if kind == "group" else {}
    return st.builds(
        lambda key, operator, **more: {"key": key, "type": kind, "operator": operator[0], "value": operator[1], **more},
        st.sampled_from(KEYS),
        plain | ranges,
        **index,
    )


cohort_filters = st.builds(
    lambda number, operator: {"key": "id", "type": "cohort", "operator": operator, "value": number},
    st.sampled_from(COHORT_IDS),
    st.sampled_from(("in", "in", "not_in")),
)
dependencies = st.builds(
    lambda key, value: {"key": key, "type": "flag", "operator": "flag_evaluates_to", "value": value},
    st.sampled_from((*FLAG_KEYS, *FLAG_KEYS, "nowhere")),
    st.sampled_from((True, True, False, "x", "y")),
)
filters = st.one_of(property_filters(), property_filters(), property_filters("group"), cohort_filters, dependencies)
conditions = st.fixed_dictionaries(
    {"properties": st.lists(filters, max_size=2), "rollout_percentage": percentages},
    optional={
        "variant": st.sampled_from((*VARIANTS, "gone", None)),
        "aggregation_group_type_index": st.sampled_from((None, 0, 1, 3)),
    },
)
multivariates = st.builds(
    lambda weights: {"variants": [{"key": key, "rollout_percentage": w} for key, w in zip(VARIANTS, weights, strict=False)]},
    st.lists(st.sampled_from((0, 25, 50, 100)), max_size=3),
)
_filters_of_a_flag = st.fixed_dictionaries(
    {"groups": st.lists(conditions, max_size=3)},
    optional={
        "multivariate": multivariates,
        "payloads": st.dictionaries(st.sampled_from((*VARIANTS, "true", "holdout-7")), st.sampled_from(("1", "{}"))),
        "aggregation_group_type_index": st.sampled_from((None, 0)),
        "early_exit": st.booleans(),
        "feature_enrollment": st.sampled_from((False, False, True)),
        "holdout": st.builds(lambda pct: {"id": 7, "exclusion_percentage": pct}, st.sampled_from((0, 10, 50, 100))),
    },
)
_odd_filters = st.sampled_from(({"groups": None}, {"groups": [], "version": 3}, {"groups": [{"properties": [{}]}]}))


def flags(key: str, number: int) -> st.SearchStrategy[dict[str, Any]]:
    """Draw one flag, now and then an odd one."""
    return st.fixed_dictionaries(
        {"id": st.just(number), "key": st.just(key), "version": st.just(1)},
        optional={
            "active": st.sampled_from((True, True, True, False)),
            "ensure_experience_continuity": st.booleans(),
            "bucketing_identifier": st.sampled_from(("device_id", "distinct_id", None)),
        },
    ).flatmap(lambda flag: st.one_of([_filters_of_a_flag] * 9 + [_odd_filters]).map(lambda some: {**flag, "filters": some}))


_leaves = st.one_of(
    property_filters(),
    property_filters(),
    property_filters(),
    cohort_filters,
    st.just({"type": "behavioral", "key": "e", "value": "performed_event"}),
).flatmap(lambda leaf: st.sampled_from(({}, {"negation": True})).map(lambda more: {**leaf, **more}))
trees = st.recursive(
    st.builds(
        lambda kind, leaves: {"type": kind, "values": leaves}, st.sampled_from(("AND", "OR")), st.lists(_leaves, max_size=2)
    ),
    lambda inner: st.builds(
        lambda kind, some: {"type": kind, "values": some}, st.sampled_from(("AND", "OR")), st.lists(inner, max_size=2)
    ),
    max_leaves=4,
)
cohorts = st.dictionaries(
    st.sampled_from(("1", "2", "3", "4")), st.one_of(trees, trees, trees, st.just({"is_static": True}), st.just({}))
)

documents = st.builds(
    lambda flags, cohorts, mapping, version: {
        "flags": flags,
        "cohorts": cohorts,
        "group_type_mapping": mapping,
        "property_matching_version": version,
    },
    st.tuples(*(flags(key, number) for number, key in enumerate(FLAG_KEYS, 1))).flatmap(
        lambda drawn: st.integers(1, len(drawn)).map(lambda count: list(drawn[:count]))
    ),
    cohorts,
    st.sampled_from(({"0": "organization", "1": "project"}, {"0": "organization"}, {})),
    st.sampled_from((1, 2)),
)

_person_properties = st.dictionaries(
    st.sampled_from((*KEYS, "$feature_enrollment/f1", "$feature_enrollment/f2", "distinct_id")), values, max_size=6
)
_group_properties = st.dictionaries(st.sampled_from(KEYS), values, max_size=3)
_overrides = st.dictionaries(st.sampled_from(FLAG_KEYS), st.sampled_from(PERSONS[:-1]))
_memberships = st.dictionaries(st.sampled_from(COHORT_IDS), st.booleans())

contexts = st.fixed_dictionaries(
    {
        "distinct_id": st.sampled_from(PERSONS),
        "person_properties": _person_properties,
        "groups": st.dictionaries(st.sampled_from(GROUP_TYPES), st.sampled_from(("acme", 42, "", None)), max_size=2),
        "group_properties": st.dictionaries(
            st.sampled_from(GROUP_TYPES), st.dictionaries(st.sampled_from(KEYS), values, max_size=3)
        ),
        "device_id": st.sampled_from(("", "device-1")),
        "anon_distinct_id": st.sampled_from((None, "anon-1")),
        "hash_key_overrides": st.none() | _overrides,
        "memberships": st.none() | _memberships.map(KnownMemberships),
        "timezone": st.sampled_from((None, *ZONES)),
        "geoip_disabled": st.booleans(),
    }
).map(lambda fields: Context(**fields))
"""Persons a local evaluator may be asked about."""


@st.composite
def completions(draw: st.DrawFn, context: Context) -> Context:
    """Draw a server's knowledge that agrees with what a context says: nothing known is changed, everything else is drawn."""
    stored = dict(draw(_person_properties))
    stored.pop("distinct_id", None)  # the request's own is injected over whatever is stored
    sent = context.person_properties
    if not context.geoip_disabled:
        sent = {key: value for key, value in sent.items() if value is not None or not key.startswith("$geoip_")}
        stored.update({key: draw(values) for key in context.person_properties if key not in sent})
    told = {} if context.memberships is None else {number: context.memberships.is_member(number) for number in COHORT_IDS}
    known = {number: member for number, member in told.items() if member is not None}
    return msgspec.structs.replace(
        context,
        properties_complete=True,
        person_properties={**stored, **sent},
        group_properties={name: _stored_group(draw, context, name) for name in GROUP_TYPES},
        hash_key_overrides=draw(_overrides) if context.hash_key_overrides is None else context.hash_key_overrides,
        memberships=KnownMemberships({number: draw(st.booleans()) for number in COHORT_IDS} | known),
        timezone=draw(st.sampled_from(ZONES)) if context.timezone is None else context.timezone,
    )


def _stored_group(draw: st.DrawFn, context: Context, name: str) -> dict[str, Any]:
    """Nothing is stored for a group without a usable key."""
    has_key = context.groups.get(name) in ("acme", 42)
    stored = draw(_group_properties) if has_key else {}
    return {**stored, **context.group_properties.get(name, {})}


@st.composite
def reductions(draw: st.DrawFn, context: Context) -> Context:
    """Draw a context that knows less: properties, memberships, overrides or the zone left out, nothing else changed."""

    def some(mapping: Any) -> dict[Any, Any]:
        return {key: value for key, value in mapping.items() if draw(st.booleans())}

    memberships = context.memberships
    known = memberships.by_cohort if isinstance(memberships, KnownMemberships) else {}
    return msgspec.structs.replace(
        context,
        person_properties=some({k: v for k, v in context.person_properties.items() if k != "distinct_id"})
        | {k: v for k, v in context.person_properties.items() if k == "distinct_id"},
        group_properties={
            name: some(held) if context.groups.get(name) in ("acme", 42) else held
            for name, held in context.group_properties.items()
        },
        hash_key_overrides=draw(st.sampled_from((context.hash_key_overrides, None))),
        memberships=draw(st.sampled_from((memberships, None, KnownMemberships(some(known))))),
        timezone=draw(st.sampled_from((context.timezone, None))),
        geoip_disabled=context.geoip_disabled and draw(st.booleans()),
    )


def with_every_group_type(document: dict[str, Any]) -> dict[str, Any]:
    """Give the definitions the group types that a service could know and they lack."""
    return {
        **document,
        "group_type_mapping": {"0": "organization", "1": "project", "3": "project", **document["group_type_mapping"]},
    }
