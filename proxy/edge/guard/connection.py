"""One client connection: aiohttp's protocol plus what aiohttp does not bound.

The end of a head has a deadline and the head a size in all; a body must arrive and an answer be taken (`watch`). The request
path pays one comparison per segment; all clocks are read by the server's sweep. Errors are answered with fixed texts and logged
without anything a client sent: exceptions appear by type and place, never by message.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from http import HTTPStatus
from typing import Any, Final, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestPayloadError

from proxy.config.settings import Limits
from proxy.edge import replies

from .gate import Handler
from .watch import BodyWatch, WriteWatch

log = logging.getLogger(__name__)

STREAMED: Final = web.RequestKey("holdfast.streamed", bool)
"""A handler sets `request[STREAMED] = True` when the body may take as long as it keeps coming."""

LINGER_S: Final = 2.0
"""How long the rest of a refused body is read and thrown away, so that the refusal is not lost in a reset."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_PRIVATE_NAMES: Final = ("_waiter", "_request_count", "_current_request", "_force_close", "_reading_paused", "_request_handler")


class Owner(Protocol):
    """The server, as its connections see it."""

    limits: Limits

    def opened(self, connection: Connection) -> bool: ...
    def closed(self, connection: Connection) -> None: ...


class Connection(web.RequestHandler):
    """aiohttp's request handler with deadlines; made by the server for each accepted socket."""

    __slots__ = ("_body", "_head_bytes", "_head_since", "_head_tail", "_owner", "_socket", "_write")

    def __init__(self, manager: web.Server, *, owner: Owner, handler: Handler, loop: asyncio.AbstractEventLoop) -> None:
        limits = owner.limits
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=limits.keepalive_s,
            access_log=None,  # type: ignore[arg-type]  # None is how aiohttp turns it off
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            lingering_time=LINGER_S,
            auto_decompress=False,  # bodies are forwarded as they came; the flag endpoints inflate a bounded copy
        )
        self._request_handler = handler
        self._owner = owner
        self._socket: asyncio.Transport | None = None
        self._head_since = 0.0
        self._head_bytes = 0
        self._head_tail = b""
        self._body: tuple[web.BaseRequest, BodyWatch] | None = None
        self._write: WriteWatch | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._owner.opened(self):
            transport.close()
            return
        super().connection_made(transport)
        # aiohttp forgets its transport on close, though unsent bytes may keep the socket: the sweep needs it until the end.
        self._socket = self.transport

    def connection_lost(self, exc: BaseException | None) -> None:
        self._socket = None
        self._body = None
        self._owner.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before, awaits_head = self._request_count, self._awaits_head()
        if awaits_head and self._head_bytes + len(data) > self._owner.limits.header_bytes and self._head_is_too_long(data):
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        super().data_received(data)
        if awaits_head and self._request_count == before:
            self._note_half_head(data)
        elif self._head_since:
            self._head_since, self._head_bytes, self._head_tail = 0.0, 0, b""

    def sweep(self, now: float) -> None:
        """End the connection if its client is overdue with anything. `now` is the loop's time."""
        limits = self._owner.limits
        if self._head_since and now - self._head_since > limits.header_timeout_s:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self._takes_nothing(now):
            self._abort()
        elif self._body_is_overdue(now):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the parser's message repeats the client's bytes
    ) -> web.StreamResponse:
        """Return a fixed answer and close; log our own faults only."""
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer has begun and cannot be turned into an error")
        if isinstance(exc, LineTooLong):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        elif isinstance(exc, (ConnectionError, RequestPayloadError, HttpProcessingError)):
            status = HTTPStatus.BAD_REQUEST
        else:
            self.log_exception("a handler failed", exc_info=exc)
        return replies.refusal(request, status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an exception by type and place: its message may hold what a client sent."""
        exc = kw.get("exc_info")
        frames = traceback.extract_tb(exc.__traceback__) if isinstance(exc, BaseException) else []
        where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        # One text without arguments: of the standard library's lines our logs keep the template only.
        text = f"{args[0] if args else 'error'}: {type(exc).__name__} at {', '.join(where)}"
        log.error(text)

    def _awaits_head(self) -> bool:
        waiter = self._waiter
        return not waiter.done() if waiter is not None else self._request_count == 0

    def _head_is_too_long(self, data: bytes) -> bool:
        room = self._owner.limits.header_bytes - self._head_bytes + len(self._head_tail)
        return _END_OF_HEAD not in (self._head_tail + data)[:room]

    def _note_half_head(self, data: bytes) -> None:
        if not self._head_since:
            self._head_since = self._loop.time()
        self._head_bytes += len(data)
        self._head_tail = (self._head_tail + data)[-3:]

    def _takes_nothing(self, now: float) -> bool:
        unsent = self._unsent_bytes()
        if not unsent:
            self._write = None
            return False
        if self._write is None:
            self._write = WriteWatch(unsent, now)
        return self._write.is_overdue(unsent, now=now, timeout_s=self._owner.limits.write_timeout_s)

    def _unsent_bytes(self) -> int:
        try:
            return self._socket.get_write_buffer_size() if self._socket is not None else 0
        except RuntimeError:  # uvloop's word for a socket that is closed and about to be reported as lost
            return 0

    def _body_is_overdue(self, now: float) -> bool:
        request = self._current_request
        if request is None or request.content.is_eof():
            self._body = None
            return False
        if self._body is None or self._body[0] is not request:
            self._body = (request, BodyWatch(request.content.total_bytes, now))
        return self._body[1].is_overdue(
            request.content.total_bytes,
            now=now,
            is_held=self._reading_paused,
            is_streamed=request.get(STREAMED, False),
            timeout_s=self._owner.limits.body_timeout_s,
        )

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer from outside any handler, if nothing was answered yet, and close."""
        request, transport = self._current_request, self.transport
        if transport is not None and not transport.is_closing() and (request is None or not request.writer.output_size):
            transport.write(_raw_refusal(status))
        self._head_since = 0.0
        self.force_close()

    def _abort(self) -> None:
        if self._socket is not None:
            self._socket.abort()


def missing_private_names() -> list[str]:
    """Return the names of aiohttp's protocol that this module relies on and that are gone."""
    known = {name for owner in web.RequestHandler.__mro__ for name in getattr(owner, "__slots__", ())}
    return [name for name in _PRIVATE_NAMES if name not in known]


def _raw_refusal(status: HTTPStatus) -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nVary: Origin\r\nConnection: close\r\n\r\n"
    ).encode()
