"""The frozen model of a definitions document (flags-service.md 4.3, 4.5, 8).

Built by `parse` only. Everything here is already checked: a flag that could not be understood is a `Flag` with a `defect`,
never a missing flag, so that one odd flag spoils only itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from reference.json import Json, JsonObject


class FilterType(StrEnum):
    """What a property filter looks at."""

    PERSON = "person"
    GROUP = "group"
    COHORT = "cohort"
    FLAG = "flag"
    PERSON_METADATA = "person_metadata"


class Operator(StrEnum):
    """All operators of flags-service.md 7.3."""

    EXACT = "exact"
    IS_NOT = "is_not"
    IS_SET = "is_set"
    IS_NOT_SET = "is_not_set"
    ICONTAINS = "icontains"
    NOT_ICONTAINS = "not_icontains"
    ICONTAINS_MULTI = "icontains_multi"
    NOT_ICONTAINS_MULTI = "not_icontains_multi"
    STARTS_WITH = "starts_with"
    NOT_STARTS_WITH = "not_starts_with"
    ENDS_WITH = "ends_with"
    NOT_ENDS_WITH = "not_ends_with"
    REGEX = "regex"
    NOT_REGEX = "not_regex"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    NOT_BETWEEN = "not_between"
    SEMVER_EQ = "semver_eq"
    SEMVER_NEQ = "semver_neq"
    SEMVER_GT = "semver_gt"
    SEMVER_GTE = "semver_gte"
    SEMVER_LT = "semver_lt"
    SEMVER_LTE = "semver_lte"
    SEMVER_TILDE = "semver_tilde"
    SEMVER_CARET = "semver_caret"
    SEMVER_WILDCARD = "semver_wildcard"
    IS_DATE_EXACT = "is_date_exact"
    IS_DATE_BEFORE = "is_date_before"
    IS_DATE_AFTER = "is_date_after"
    IN = "in"
    NOT_IN = "not_in"
    FLAG_EVALUATES_TO = "flag_evaluates_to"


class PropertyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf: a key, an operator and a value to compare with.

    Attributes:
        key: Property key, flag key or id, or `"id"` for cohorts.
        type: What is looked at.
        operator: `exact` where the document names none (`in` for cohorts).
        value: The filter value; absent and null are the same.
        negation: Honoured on cohort leaves only (flags-service.md 7.1).
        group_type_index: For `group` filters; None falls back to the condition's aggregation.
        unknown: Keys that this version does not know, kept as they came.
    """

    key: str
    type: FilterType
    operator: Operator
    value: Json = None
    negation: bool = False
    group_type_index: int | None = None
    unknown: JsonObject = msgspec.field(default_factory=dict)


class Aggregation(msgspec.Struct, frozen=True):
    """What a condition buckets by: a person (`group_type_index is None`) or a group type."""

    group_type_index: int | None = None


class ConditionSet(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `filters.groups`.

    Attributes:
        properties: All must hold; empty always passes.
        rollout_percentage: 0..100, fractions allowed, nothing clamped; 100 where the document says null.
        variant: Pinned variant key, valid or not.
        aggregation: The condition's own, already resolved against the flag's.
    """

    properties: tuple[PropertyFilter, ...] = ()
    rollout_percentage: float = 100.0
    variant: str | None = None
    aggregation: Aggregation = Aggregation()
    unknown: JsonObject = msgspec.field(default_factory=dict)


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One arm of a multivariate flag; weights are percentages and need not sum to 100."""

    key: str
    rollout_percentage: float
    name: str | None = None


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """A share of people who get `holdout-<id>` instead of the flag."""

    id: int
    exclusion_percentage: float


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """Why a flag or a cohort cannot be evaluated.

    Attributes:
        code: The service's failure code (`flag_data_parsing_error`, `cohort_filters_parsing_error`, …).
        path: JSON path inside the document, `$.flags[3].filters.groups[0].properties[1].operator`.
        message: What is wrong there and what is allowed; contains no filter values.
    """

    code: str
    path: str
    message: str


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """One flag. With `defect` set only identity and the fields that select a flag (5.2) are meaningful.

    Attributes:
        id: Numeric id, 0 when absent.
        version: The flag's own change counter, 0 when absent.
        config_version: 1; 2 for rules v2; 0 for a format that is neither (never evaluated as v1).
        conditions: `filters.groups` in stored order.
        payloads: Variant key or `"true"` → stored JSON.
        bucket_by_device: `bucketing_identifier == "device_id"`.
    """

    key: str
    id: int = 0
    version: int = 0
    active: bool = True
    deleted: bool = False
    config_version: int = 1
    conditions: tuple[ConditionSet, ...] = ()
    variants: tuple[Variant, ...] = ()
    payloads: JsonObject = msgspec.field(default_factory=dict)
    aggregation: Aggregation = Aggregation()
    holdout: Holdout | None = None
    feature_enrollment: bool = False
    early_exit: bool = False
    ensure_experience_continuity: bool = False
    bucket_by_device: bool = False
    evaluation_runtime: str | None = None
    evaluation_contexts: tuple[str, ...] = ()
    has_experiment: bool | None = None
    defect: Defect | None = None
    unknown: JsonObject = msgspec.field(default_factory=dict)


class CohortGroup(msgspec.Struct, frozen=True, kw_only=True):
    """An AND or OR of leaves and further groups. An empty AND is true, an empty OR false."""

    conjunction: bool
    members: tuple[CohortGroup | PropertyFilter | BehaviouralLeaf, ...] = ()


class BehaviouralLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """A leaf about what a person did; only a membership provider can decide the cohort it stands in."""

    negation: bool = False


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """One cohort of the document. `root is None` with no defect: no filters, nobody is in it."""

    id: int
    root: CohortGroup | None = None
    is_static: bool = False
    defect: Defect | None = None


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """A whole document.

    Attributes:
        flags: In document order; keys are unique (the last of two with one key wins).
        group_types: Group type index → name (`group_type_mapping`).
        cohorts: Cohort id → cohort.
        explicit_matching: True only for `property_matching_version` 2 (flags-service.md 7.2).
        minimal_flag_called_events: Copied to responses.
        unusable: Entries without a usable key, id or name, which nothing can refer to: they exist only as defects.
        unknown: Top-level keys that this version does not know, kept as they came.
    """

    flags: tuple[Flag, ...] = ()
    group_types: Mapping[int, str] = msgspec.field(default_factory=dict)
    cohorts: Mapping[int, Cohort] = msgspec.field(default_factory=dict)
    explicit_matching: bool = False
    minimal_flag_called_events: bool = False
    unusable: tuple[Defect, ...] = ()
    unknown: JsonObject = msgspec.field(default_factory=dict)
