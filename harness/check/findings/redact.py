"""Takes the project's values out of a finding: a property's and a filter's value become their type class, payloads go.

Names stay (flags, properties, variants), because without them nobody could find the flag; so do rollouts and operators, and
the marked identities, which are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from harness.search.cause import Specimen
from harness.search.classes import value_class
from harness.search.state import Finding
from harness.subjects.protocol import Verdict

_FLAG: Final = ("id", "key", "version", "active", "deleted", "ensure_experience_continuity", "bucketing_identifier", "filters")
_FILTERS: Final = ("groups", "multivariate", "aggregation_group_type_index", "feature_enrollment", "early_exit", "holdout")
_CONDITION: Final = ("properties", "rollout_percentage", "variant", "aggregation_group_type_index")
_LEAF: Final = ("key", "type", "operator", "negation", "group_type_index", "dependency_chain")
_VARIANT: Final = ("key", "rollout_percentage")


def redacted(finding: Finding) -> Finding:
    """Return the finding without a value of the project's."""
    specimen = finding.specimen
    definitions = {
        "flags": [_flag(flag) for flag in specimen.definitions["flags"]],
        "group_type_mapping": specimen.definitions.get("group_type_mapping") or {},
        "cohorts": {key: _tree(tree) for key, tree in (specimen.definitions.get("cohorts") or {}).items()},
    }
    return msgspec.structs.replace(
        finding,
        specimen=Specimen(definitions, _person(specimen.person), specimen.flag_key),
        base_answer=_answer(finding.base_answer),
        subject_answer=_answer(finding.subject_answer),
    )


def _flag(flag: Mapping[str, Any]) -> dict[str, Any]:
    kept = _only(flag, _FLAG)
    filters = _only(flag["filters"], _FILTERS)
    filters["groups"] = [_condition(one) for one in filters.get("groups") or ()]
    if filters.get("multivariate"):
        filters["multivariate"] = {"variants": [_only(one, _VARIANT) for one in filters["multivariate"].get("variants") or ()]}
    return {**kept, "filters": filters}


def _condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {**_only(condition, _CONDITION), "properties": [_tree(leaf) for leaf in condition.get("properties") or ()]}


def _tree(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return _class(node)
    if "values" in node:
        return {**_only(node, ("type",)), "values": [_tree(member) for member in node["values"] or ()]}
    # Whom a cohort or flag filter names is no value; what a property is compared with is.
    is_name = node.get("type") in {"cohort", "flag"}
    return {**_only(node, _LEAF), **({"value": node["value"] if is_name else _class(node["value"])} if "value" in node else {})}


def _person(person: Mapping[str, Any]) -> dict[str, Any]:
    properties = {key: _class(value) for key, value in (person.get("person_properties") or {}).items()}
    groups = {
        name: {key: _class(value) for key, value in sent.items()}
        for name, sent in (person.get("group_properties") or {}).items()
    }
    return {**person, "person_properties": properties, "group_properties": groups}


def _answer(verdict: Verdict | None) -> Verdict | None:
    if verdict is None or verdict.payload is None:
        return verdict
    return msgspec.structs.replace(verdict, payload=_class(verdict.payload))


def _class(value: Any) -> str:
    return f"<{value_class(value)}>"


def _only(found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
