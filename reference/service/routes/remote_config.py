"""Remote config: `GET /api/projects/@current/feature_flags/<key>/remote_config` (contract §1.1; its answer is UNVERIFIED).

The answer is the flag's stored payload for `"true"`; the fake stores it in the clear, so there is nothing to decrypt.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from reference.response import Refusal, json_error
from reference.service.intake.query import DEFINITIONS_PARAMETERS, read_query
from reference.service.project.project import Project
from reference.service.reply import Call, Reply, bodiless, from_error, json_reply, refused
from reference.service.world import World

from .keys import bearer, check_key, project_of_key

ALLOW: Final = "GET, OPTIONS, HEAD"
NOT_FOUND: Final = json_error(404, "invalid_request", "not_found", "Not found.")


def answer_remote_config(world: World, call: Call) -> Reply:
    """Answer one call of the remote config endpoint; without a token the key says which project is meant."""
    query = read_query(call.query, DEFINITIONS_PARAMETERS)
    if isinstance(query, str):
        return refused(Refusal.BAD_QUERY, detail=query)
    return bodiless(call, ALLOW) or _answer_get(world, call, query.get("token"))


def _answer_get(world: World, call: Call, token: str | None) -> Reply:
    if bearer(call) is None:
        return refused(Refusal.NO_CREDENTIALS)
    catalogue = world.catalogue
    project = project_of_key(call, catalogue) if token is None else catalogue.by_token(token)
    if project is None:
        return refused(Refusal.BAD_PERSONAL_KEY if token is None else Refusal.UNKNOWN_TOKEN)
    refusal = check_key(call, project, catalogue)
    if refusal is not None:
        return refused(refusal)
    flag = _flag(project, call.parameter)
    return from_error(NOT_FOUND) if flag is None else json_reply(msgspec.json.encode(_payload(flag)))


def _flag(project: Project, key: str) -> dict[str, Any] | None:
    flags: Any = project.document["flags"]
    found = (flag for flag in flags if isinstance(flag, dict) and key in {flag.get("key"), str(flag.get("id"))})
    return next((flag for flag in found if flag.get("deleted") is not True), None)


def _payload(flag: dict[str, Any]) -> Any:
    filters = flag.get("filters")
    payloads = filters.get("payloads") if isinstance(filters, dict) else None
    return payloads.get("true") if isinstance(payloads, dict) else None
