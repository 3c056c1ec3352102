"""The person of a request as the server sees them: what was sent, what is stored, and what the server adds (contract §2.3).

Continuity identities are written here, as the service writes them on evaluation (contract §5.9).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from reference.context import Context
from reference.json import Json, JsonObject
from reference.request.asked import device_of
from reference.request.fields import FlagsBody
from reference.service.intake.address import client_address
from reference.service.project.memory import Memory
from reference.service.project.project import Project
from reference.service.reply import Call

COOKIELESS: Final = "$posthog_cookieless"


class Asker(msgspec.Struct, frozen=True):
    """Who asks: the body's fields, the distinct id in force, and the client's address."""

    body: FlagsBody
    distinct_id: str
    address: str


def asker_of(call: Call, body: FlagsBody, distinct_id: str, *, day: str) -> Asker:
    """Tell who asks; the cookieless sentinel becomes a hash of what can be seen of the visitor, salted by day."""
    address = body.ip_address or client_address(call.headers, call.peer)
    if distinct_id != COOKIELESS:
        return Asker(body, distinct_id, address)
    seen = (
        address,
        call.headers.get("User-Agent", ""),
        call.headers.get("Host", ""),
        body.timezone,
        body.cookieless_hash_extra,
        day,
    )
    digest = hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:32]
    return Asker(body, f"cookieless_{digest}", address)


def context_of(asker: Asker, project: Project, memory: Memory) -> Context:
    """Put together the complete context of a request."""
    body = asker.body
    groups = body.groups or {}
    person = project.people.person(asker.distinct_id)
    overrides = _person_overrides(asker, project)
    return Context(
        distinct_id=asker.distinct_id,
        person_properties={**({} if person is None else person.properties), **overrides},
        groups=groups,
        group_properties={name: _group_properties(name, key, body, project) for name, key in groups.items()},
        device_id=device_of(body),
        anon_distinct_id=body.anon_distinct_id or None,
        properties_complete=True,
        hash_key_overrides=_identities(asker, project, memory),
        memberships=project.people.membership(asker.distinct_id),
        timezone=project.section.timezone,
        geoip_disabled=body.geoip_disable is True,
    )


def _person_overrides(asker: Asker, project: Project) -> dict[str, Json]:
    sent: dict[str, Json] = {"distinct_id": asker.distinct_id, **(asker.body.person_properties or {})}
    if asker.body.geoip_disable is True:
        return sent
    located = project.section.geoip.get(asker.address, {})
    return {**sent, **{name: value for name, value in located.items() if sent.get(name) is None}}


def _group_properties(name: str, key: Json, body: FlagsBody, project: Project) -> JsonObject:
    sent: Mapping[str, Any] = (body.group_properties or {}).get(name, {})
    return {**project.people.group_properties(name, key), **sent, "$group_key": key}


def _identities(asker: Asker, project: Project, memory: Memory) -> dict[str, str]:
    """Read the person's stored identities, after storing the request's anonymous id where none is stored yet."""
    team = project.section.team_id
    persons = [
        found.id
        for name in (asker.distinct_id, asker.body.anon_distinct_id)
        if name and (found := project.people.person(name)) is not None
    ]
    anonymous = asker.body.anon_distinct_id
    if anonymous and project.continuity_matters:
        for person in dict.fromkeys(persons):
            memory.keep_identity(team, person, anonymous, flags=_unstored(project, person))
    found_identities: dict[str, str] = {}
    for person in reversed(persons):
        found_identities.update({**memory.overrides(team, person), **_from_file(project, person)})
    return found_identities


def _from_file(project: Project, person: str) -> Mapping[str, str]:
    return project.section.hash_key_overrides.get(person, {})


def _unstored(project: Project, person: str) -> list[str]:
    stored = _from_file(project, person)
    return [flag for flag in project.continuity if flag not in stored]
