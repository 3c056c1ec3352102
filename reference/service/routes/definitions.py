"""`/flags/definitions` and its historic alias: token, key, quota, ETag, body, in the service's order (contract §4)."""

from __future__ import annotations

from typing import Final

from reference.response import Refusal
from reference.service.intake.query import DEFINITIONS_PARAMETERS, read_query
from reference.service.reply import Call, Reply, bodiless, json_reply, refused
from reference.service.world import World

from .keys import check_key

ALLOW: Final = "GET, OPTIONS, HEAD"
TOKEN_HEADER: Final = "X-PostHog-Project-Api-Key"  # noqa: S105 - a header's name
CACHE_CONTROL: Final = "private, must-revalidate"


def answer_definitions(world: World, call: Call) -> Reply:
    """Answer one call of the definitions endpoint."""
    query = read_query(call.query, DEFINITIONS_PARAMETERS)
    if isinstance(query, str):
        return refused(Refusal.BAD_QUERY, detail=query)
    token = query.get("token", call.headers.get(TOKEN_HEADER))
    if token is None:
        return refused(Refusal.BAD_QUERY, detail="missing field `token`")
    return bodiless(call, ALLOW) or _answer_get(world, call, token)


def _answer_get(world: World, call: Call, token: str) -> Reply:
    project = world.catalogue.by_token(token)
    if project is None:
        return refused(Refusal.UNKNOWN_TOKEN)
    refusal = check_key(call, project, world.catalogue)
    if refusal is not None:
        return refused(refusal)
    if project.is_over_quota:
        return refused(Refusal.OVER_QUOTA)
    served = project.served
    headers = (("etag", f'W/"{served.etag}"'), ("cache-control", CACHE_CONTROL))
    if _raw_etag(call.headers.get("If-None-Match")) == served.etag:
        return Reply(304, headers=headers)
    return json_reply(served.body, *headers)


def _raw_etag(header: str | None) -> str | None:
    """Strip the weak prefix and the quotes; lists and `*` are not supported (contract §4.4)."""
    return None if header is None else header.strip().removeprefix("W/").strip('"')
