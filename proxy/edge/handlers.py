"""The flag endpoints: read a request whole, walk the line, write the answer. Every method, both slash forms, both families.

OPTIONS is answered here, so that a browser gets past its preflight while upstream is down. A request target is matched exactly
and never normalised; what is not ours goes to the next handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from proxy.answer.ladder import Ladder
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import ErrorAnswer, Refusal, error_answer
from proxy.config.settings import Limits
from proxy.telemetry.watch import Watch

from . import replies
from .flags.head import Head, Heads
from .guard.targets import origin_form
from .wire import PLACES, Arrival, Decoder, refuse, respond

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Flags:
    """Answers the flag endpoints; everything else is `elsewhere`'s."""

    def __init__(
        self, *, ladder: Ladder, heads: Heads, decoder: Decoder, watch: Watch, limits: Limits, elsewhere: Handler
    ) -> None:
        self._ladder = ladder
        self._heads = heads
        self._decoder = decoder
        self._watch = watch
        self._body_bytes = limits.body_bytes
        self._elsewhere = elsewhere

    def __call__(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        target = request.raw_path
        if not target.startswith("/"):  # left as it is, `http://any/flags` would walk around the allow-list of tokens
            target = origin_form(target)
        path, _, query = target.partition("?")
        if path in PLACES:
            return self._answer(request, target, path, query)
        return self._other(request)

    async def _answer(self, request: web.BaseRequest, target: str, path: str, query: str) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return self._counted(replies.preflight(request))
        head = self._heads.of(request)
        body = await read_body(request, limit=self._body_bytes)
        if body is None:
            response = self._refuse(error_answer(Refusal.BODY_TOO_LARGE), head)
            response.force_close()  # the rest of the body is on its way and will not be read
            return response
        arrival = Arrival(request.method, target, path, query, head, body)
        decoded = self._decoder.decode(arrival)
        if not isinstance(decoded, FlagsRequest):
            return self._refuse(decoded, head)
        trace = self._watch.begin(head.parent, decoded, is_trusted=head.is_trusted)
        try:
            answer = await self._ladder.answer(decoded)
        except BaseException:
            self._watch.abandoned()
            raise
        self._watch.answered(decoded, answer, trace, head.parent)
        return respond(answer, arrival)

    async def _other(self, request: web.BaseRequest) -> web.StreamResponse:
        handing, passing = self._watch.handing, None
        if self._watch.tracer is not None:
            parent, is_trusted = self._heads.caller(request)
            passing = handing.begin(request.method, parent, is_trusted=is_trusted)
        status = None
        try:
            response = await self._elsewhere(request)
            status = response.status
        finally:
            if passing is not None:
                handing.end(passing, status)
        return self._counted(response)

    def _refuse(self, error: ErrorAnswer, head: Head) -> web.StreamResponse:
        self._watch.meter.refused(error.status)
        return refuse(error, head)

    def _counted(self, response: web.StreamResponse) -> web.StreamResponse:
        self._watch.meter.other(response.status)
        return response


async def read_body(request: web.BaseRequest, *, limit: int) -> bytes | None:
    """Return the raw body; None when it is larger than `limit` bytes. The server ends clients that stop sending."""
    content = request.content
    if content.is_eof():  # the usual case: it came with the headers, nothing to wait for
        body = content.read_nowait()
        return body if len(body) <= limit else None
    if (request.content_length or 0) > limit:
        return None
    chunks, size = [], 0
    while not content.at_eof():
        chunks.append(await content.readany())
        size += len(chunks[-1])
        if size > limit:
            return None
    return b"".join(chunks)
