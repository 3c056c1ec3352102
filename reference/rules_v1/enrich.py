"""The person properties a filter sees: what was sent, plus what the service adds to it (contract §2.3).

`distinct_id` is always there. The `$initial_*` and `$os` copies are made only where the properties are complete: on a
partial map the service could hold a stored value of its own. GeoIP fills keys that were sent as null, so those are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reference.context import Context
from reference.json import Json

_OS: Final = ("$os", "$os_name")
_INITIAL_FROM: Final = (
    *("$app_build", "$app_name", "$app_namespace", "$app_version", "$browser", "$browser_version", "$device_type"),
    *("$current_url", "$pathname", "$os_version", "$referring_domain", "$referrer", "$screen_height", "$screen_width"),
    *("$viewport_height", "$viewport_width", "$raw_user_agent", "utm_source", "utm_medium", "utm_campaign", "utm_content"),
    *("utm_term", "gclid", "gad_source", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "twclid", "li_fat_id"),
    *("mc_cid", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx"),
)
FILLED_FROM: Final[Mapping[str, tuple[str, ...]]] = {
    "$os": ("$os_name",),
    "$os_name": ("$os",),
    "$initial_os": _OS,
    **{f"$initial_{name.removeprefix('$')}": (name,) for name in _INITIAL_FROM},
}
"""Property → where a missing one is copied from, the first that is set. `$os` and `$os_name` mirror each other first."""


def person_properties(context: Context, distinct_id: str, fill: Iterable[str]) -> dict[str, Json]:
    """Build the map that person filters read.

    Args:
        context: The request.
        distinct_id: As it counts, cut and well-formed; injected unless the request gives the property itself.
        fill: Keys to fill where the properties are complete, all of `FILLED_FROM`.
    """
    sent = context.person_properties
    properties: dict[str, Json] = {"distinct_id": distinct_id, **sent}
    if context.properties_complete:
        for key in fill:
            if key not in properties:
                _copy_first(properties, key, FILLED_FROM[key])
    elif not context.geoip_disabled:
        for key in [key for key, value in properties.items() if value is None and key.startswith("$geoip_")]:
            del properties[key]
    return properties


def _copy_first(properties: dict[str, Json], key: str, sources: Iterable[str]) -> None:
    for source in sources:
        if source in properties:
            properties[key] = properties[source]
            return
