"""The HTTP face: an aiohttp application around plain functions from a call to a reply.

It reads bodies against their limit, adds CORS to every answer, and answers every OPTIONS itself, as the CORS layer of the real
service does (contract §1.3). No middleware: whoever wants to stand in front (a fault, a recorder) wraps the one exchange.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from aiohttp import ClientPayloadError, web

from reference.response import Refusal

from .intake.body import MAX_BODY_BYTES
from .project.memory import Memory, Received
from .project.project import Catalogue
from .reply import Call, Reply
from .table import answer
from .world import Clock, NewId, World

Exchange = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEEP_ALIVE_S: Final = 75.0
EXPOSED: Final = "x-posthog-rate-limit-warning"
METHODS: Final = "GET,POST,OPTIONS,HEAD"
_VARY: Final = "origin, access-control-request-method, access-control-request-headers"
WORLD: Final = web.AppKey("world", World)


def utc_now() -> datetime:
    """Read the wall clock; the default of `build`."""
    return datetime.now(UTC)


def build(
    catalogue: Catalogue,
    *,
    clock: Clock = utc_now,
    new_id: NewId = uuid4,
    memory: Memory | None = None,
    has_test_face: bool = False,
    around: Callable[[Exchange], Exchange] = lambda exchange: exchange,
) -> web.Application:
    """Build the service.

    Args:
        catalogue: The projects (`load_catalogue(file bytes)`); `app[WORLD].catalogue = …` replaces them at any time.
        clock: Aware datetimes; drives `evaluatedAt` and relative dates.
        new_id: Request ids where the caller sends none.
        memory: What requests wrote, to be shared or looked at; a fresh one by default.
        has_test_face: Record every call, and serve `/_test/events` and `/_test/calls`.
        around: Wraps the one request → response function; faults go here.
    """
    world = World(catalogue, clock=clock, new_id=new_id, memory=memory)
    app = web.Application(handler_args={"auto_decompress": False, "keepalive_timeout": KEEP_ALIVE_S, "access_log": None})
    app[WORLD] = world
    app.router.add_route("*", "/{path:.*}", around(_exchange(world, has_test_face=has_test_face)))
    return app


def _exchange(world: World, *, has_test_face: bool) -> Exchange:
    async def exchange(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return _response(request, Reply(200))
        call = await _read(request)
        if has_test_face and not call.path.startswith("/_test/"):
            world.memory.calls.append(_received(request, call))
        return _response(request, answer(world, call, has_test_face=has_test_face))

    return exchange


async def _read(request: web.Request) -> Call:
    return Call(
        method=request.method,
        path=request.rel_url.raw_path,
        query=request.rel_url.raw_query_string,
        headers=request.headers,
        body=await _read_body(request) if request.method == "POST" else b"",
        peer=request.remote,
    )


async def _read_body(request: web.Request) -> bytes | Refusal:
    """Read at most the limit and one byte; the rest of a longer body is not waited for."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                return Refusal.BODY_TOO_LARGE
            chunks.append(chunk)
    except ClientPayloadError:
        return Refusal.BODY_TRANSFER
    return b"".join(chunks)


def _response(request: web.Request, reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body or None)
    if reply.content_type is None:
        response.headers.popall("Content-Type", None)
    else:
        response.headers["Content-Type"] = reply.content_type
    for name, value in (*reply.headers, *_cors(request)):
        response.headers[name] = value
    return response


def _cors(request: web.Request) -> list[tuple[str, str]]:
    """Mirror origin and headers, allow credentials (contract §1.3)."""
    headers = [("Vary", _VARY), ("Access-Control-Allow-Credentials", "true")]
    origin = request.headers.get("Origin")
    if origin is not None:
        headers.append(("Access-Control-Allow-Origin", origin))
    if request.method != "OPTIONS":
        return [*headers, ("Access-Control-Expose-Headers", EXPOSED)]
    headers.append(("Access-Control-Allow-Methods", METHODS))
    asked = request.headers.get("Access-Control-Request-Headers")
    return headers if asked is None else [*headers, ("Access-Control-Allow-Headers", asked)]


def _received(request: web.Request, call: Call) -> Received:
    body = call.body if isinstance(call.body, bytes) else b""
    return Received(
        method=call.method,
        target=request.raw_path,
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers],
        body=base64.b64encode(body).decode(),
    )
