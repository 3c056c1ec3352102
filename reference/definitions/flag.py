"""Parses one flag (contract §4.5). What cannot be understood becomes the flag's `Defect`; the flag itself always stays.

Identity and the fields that decide whether a request sees the flag at all are read leniently first, so that an inactive
flag stays inactive however odd the rest of it is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from reference.json import Json, JsonObject

from .document import blemish
from .errors import Flaw
from .fields import (
    Source,
    as_source,
    boolean,
    integer,
    items,
    number,
    optional_integer,
    optional_text,
    text,
    texts,
    the_rest,
)
from .filters import parse_aggregation, parse_condition
from .model import Defect, Flag, Holdout, Variant

FLAG_DEFECT: Final = "flag_data_parsing_error"
V1: Final = 1
V2: Final = 2
UNSUPPORTED: Final = 0

_FLAG_FIELDS: Final = frozenset(
    {
        *("key", "id", "version", "active", "deleted", "filters", "ensure_experience_continuity", "bucketing_identifier"),
        *("evaluation_runtime", "evaluation_contexts", "has_experiment"),
    }
)
_FILTERS_FIELDS: Final = frozenset(
    {
        *("groups", "multivariate", "aggregation_group_type_index", "payloads", "feature_enrollment", "holdout"),
        *("early_exit", "version"),
    }
)


def parse_flag(source: Source, key: str) -> Flag:
    """Parse one flag; never raises."""
    sketch = _sketch(source, key)
    try:
        return _complete(source, sketch)
    except Flaw as flaw:
        defect = Defect(code=FLAG_DEFECT, path=flaw.path, message=flaw.message)
        return msgspec.structs.replace(sketch, defect=defect)


def _sketch(source: Source, key: str) -> Flag:
    """Read what identifies and selects the flag, passing over whatever has the wrong type."""
    fields = source.fields
    contexts, runtime, number_of = fields.get("evaluation_contexts"), fields.get("evaluation_runtime"), _lenient_integer
    return Flag(
        key=key,
        id=number_of(fields.get("id")),
        version=number_of(fields.get("version")),
        active=fields.get("active") is not False,
        deleted=fields.get("deleted") is True,
        evaluation_runtime=runtime if isinstance(runtime, str) else None,
        evaluation_contexts=tuple(item for item in contexts if isinstance(item, str)) if isinstance(contexts, list) else (),
    )


def _complete(source: Source, sketch: Flag) -> Flag:
    found = blemish(source.fields, source.path)
    if found is not None:
        raise Flaw(*found)
    filters = as_source(source.fields.get("filters"), source.at("filters"))
    config_version = _config_version(filters.fields)
    selected = msgspec.structs.replace(
        sketch,
        id=optional_integer(source, "id") or 0,
        version=optional_integer(source, "version") or 0,
        active=boolean(source, "active", default=True),
        deleted=boolean(source, "deleted"),
        config_version=config_version,
        evaluation_runtime=optional_text(source, "evaluation_runtime"),
        evaluation_contexts=texts(source, "evaluation_contexts"),
        ensure_experience_continuity=boolean(source, "ensure_experience_continuity"),
        bucket_by_device=optional_text(source, "bucketing_identifier") == "device_id",
        has_experiment=None if source.fields.get("has_experiment") is None else boolean(source, "has_experiment"),
        unknown=_unknown(source, filters),
    )
    return _with_rules(selected, filters) if config_version == V1 else selected


def _with_rules(flag: Flag, filters: Source) -> Flag:
    aggregation = parse_aggregation(filters)
    groups = items(filters, "groups")
    return msgspec.structs.replace(
        flag,
        conditions=tuple(
            parse_condition(group, f"{filters.at('groups')}[{index}]", aggregation) for index, group in enumerate(groups)
        ),
        variants=_variants(filters),
        payloads=_payloads(filters.fields.get("payloads")),
        aggregation=aggregation,
        holdout=_holdout(filters),
        feature_enrollment=boolean(filters, "feature_enrollment"),
        early_exit=boolean(filters, "early_exit"),
    )


def _config_version(filters: JsonObject) -> int:
    """Return 1, 2, or 0 for any other format; a number counts by value, everything else is another format (contract §11)."""
    if "version" not in filters:
        return V1
    version = filters["version"]
    is_number = isinstance(version, int | float) and not isinstance(version, bool)
    return int(version) if is_number and version in {V1, V2} else UNSUPPORTED


def _variants(filters: Source) -> tuple[Variant, ...]:
    if filters.fields.get("multivariate") is None:
        return ()
    multivariate = as_source(filters.fields["multivariate"], filters.at("multivariate"))
    path = multivariate.at("variants")
    return tuple(_variant(as_source(item, f"{path}[{index}]")) for index, item in enumerate(items(multivariate, "variants")))


def _variant(source: Source) -> Variant:
    return Variant(
        key=text(source, "key"),
        rollout_percentage=number(source, "rollout_percentage"),
        name=optional_text(source, "name"),
    )


def _holdout(filters: Source) -> Holdout | None:
    if filters.fields.get("holdout") is None:
        return None
    source = as_source(filters.fields["holdout"], filters.at("holdout"))
    return Holdout(id=integer(source, "id"), exclusion_percentage=number(source, "exclusion_percentage"))


def _payloads(value: Json) -> JsonObject:
    """Take the payloads; the service keeps any JSON there and finds nothing in what is no object."""
    return dict(value) if isinstance(value, dict) else {}


def _unknown(source: Source, filters: Source) -> JsonObject:
    unknown = dict(the_rest(source, _FLAG_FIELDS))
    in_filters = the_rest(filters, _FILTERS_FIELDS)
    return {**unknown, "filters": in_filters} if in_filters else unknown


def _lenient_integer(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


__all__ = ["FLAG_DEFECT", "UNSUPPORTED", "V1", "V2", "parse_flag"]
