"""Event ingestion: accepted, unpacked when it can be, and remembered so that a test can see what arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reference.json import Json
from reference.response import Refusal
from reference.service.intake.body import decode_body
from reference.service.intake.query import read_query
from reference.service.reply import Call, Reply, bodiless, json_reply, refused
from reference.service.world import World

ALLOW: Final = "GET, POST, OPTIONS, HEAD"
ACCEPTED: Final = b'{"status":"Ok"}'
_PARAMETERS: Final = {"compression": ("compression",), "data": ("data",)}


def answer_capture(world: World, call: Call) -> Reply:
    """Accept events of any form; what cannot be read is accepted too, and remembered as unread."""
    early = bodiless(call, ALLOW)
    if early is not None:
        return early
    if isinstance(call.body, Refusal):
        return refused(call.body)
    world.memory.events.append({"path": call.path.rstrip("/"), "events": _events(_decode(call, call.body))})
    return json_reply(ACCEPTED)


def _decode(call: Call, body: bytes) -> Json | Refusal:
    query = read_query(call.query, _PARAMETERS)
    compression = None if isinstance(query, str) else query.get("compression")
    if call.method == "GET":
        body = b"" if isinstance(query, str) else query.get("data", "").encode()
    headers = call.headers
    return decode_body(
        body,
        content_type=headers.get("Content-Type"),
        encoding=headers.get("Content-Encoding"),
        compression=compression,
    )


def _events(document: Json | Refusal) -> list[Any] | None:
    """List the events of a batch, a list, or a single event; None when it could not be read."""
    if isinstance(document, Refusal):
        return None
    batch = document.get("batch") if isinstance(document, Mapping) else document
    return list(batch) if isinstance(batch, list) else [document]
