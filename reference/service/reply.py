"""One answer and one call of the service, as plain values: route handlers know neither sockets nor aiohttp."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reference.response import ErrorAnswer, Refusal, error_answer
from reference.response.errors import JSON


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        method: Upper-case.
        path: Raw path as sent, still percent-encoded.
        query: Raw query string without the question mark.
        headers: Looked up without regard to case.
        body: The bytes, or why they could not be had.
        peer: Address of the other end.
        parameter: What the route's pattern captured from the path, decoded.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | Refusal = b""
    peer: str | None = None
    parameter: str = ""


class Reply(msgspec.Struct, frozen=True):
    """One response; `content_type` None sends no such header."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def refused(refusal: Refusal, *, detail: str | None = None) -> Reply:
    """Make the reply to a refusal."""
    return from_error(error_answer(refusal, detail=detail))


def from_error(answer: ErrorAnswer) -> Reply:
    """Make a reply of an error answer."""
    return Reply(answer.status, answer.body, answer.content_type)


def json_reply(body: bytes, *headers: tuple[str, str], status: int = 200) -> Reply:
    """Make a reply of bytes that are JSON."""
    return Reply(status, body, JSON, headers)


def bodiless(call: Call, allow: str) -> Reply | None:
    """Answer HEAD and the methods not allowed; OPTIONS never gets here, the CORS layer answers it (contract §1.2)."""
    match call.method:
        case "HEAD":
            return Reply(200, b"", JSON)
        case method if method in {name.strip() for name in allow.split(",")}:
            return None
        case _:
            return Reply(405, headers=(("allow", allow),))
