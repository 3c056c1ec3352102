"""One connection between supervisor and worker: length-prefixed frames both ways, calls with deadlines, notes without replies.

Handlers run one after the other in the order in which frames arrive (a `Commit` never overtakes its `Prepare`), so a
handler must not wait for a call on its own channel. A peer that does not read is cut off before what is owed to it can fill
our memory.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from proxy.telemetry.logs import Logger

from .messages import Body, Done, Frame, decode, encode

Handler: TypeAlias = Callable[[Any], Awaitable[Done]]
FRAME_BYTES: Final = 64 * 1024 * 1024
UNREAD_BYTES: Final = 64 * 1024 * 1024
_PREFIX: Final = struct.Struct(">I")
GONE: Final = Done(refusal="the connection is gone")
SILENT: Final = Done(refusal="no reply in time")


class Channel:
    """Both ends of the conversation use the same class; who handles what is said by `handlers`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: Mapping[type[Any], Handler], *, log: Logger
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handlers = handlers
        self._log = log
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Done]] = {}
        self._is_over = False

    async def run(self) -> None:
        """Read and handle until the peer goes away or breaks the protocol. Pending calls end with `GONE`."""
        try:
            while (frame := await self._read()) is not None:
                await self._take(frame)
        finally:
            self.close()

    async def call(self, body: Body, *, timeout_s: float) -> Done:
        """Send a body and wait for its reply; trouble is a refusal too (`GONE`, `SILENT`)."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                return await future if self._send(Frame(body, call=number)) else GONE
        except TimeoutError:
            return SILENT
        finally:
            self._waiting.pop(number, None)

    def note(self, body: Body) -> bool:
        """Send a body that wants no reply; False when the peer is gone."""
        return self._send(Frame(body))

    def close(self) -> None:
        """End the conversation; idempotent."""
        self._is_over = True
        self._writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_result(GONE)

    async def _take(self, frame: Frame) -> None:
        if isinstance(frame.body, Done):
            future = self._waiting.get(frame.reply_to)
            if future is not None and not future.done():
                future.set_result(frame.body)
            return
        done = await self._handled(frame.body)
        if frame.call:
            self._send(Frame(done, reply_to=frame.call))

    async def _handled(self, body: Body) -> Done:
        """Handle one body. A handler's bug is told to the caller and logged; it costs neither connection nor process."""
        handler = self._handlers.get(type(body))
        if handler is None:
            return Done(refusal="not understood here")
        try:
            return await handler(body)
        except Exception as error:  # noqa: BLE001  the boundary between two processes; logged with its frames
            self._log.exception("handler_failed", message=type(body).__name__)
            return Done(refusal=type(error).__name__)

    async def _read(self) -> Frame | None:
        """Return the next frame; None at the end, or when the peer speaks another language (another release: let it go)."""
        try:
            (length,) = _PREFIX.unpack(await self._reader.readexactly(_PREFIX.size))
            return decode(await self._reader.readexactly(length)) if length <= FRAME_BYTES else None
        except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError):
            return None

    def _send(self, frame: Frame) -> bool:
        if self._is_over or self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > UNREAD_BYTES:
            self._writer.transport.abort()
            return False
        content = encode(frame)
        self._writer.write(_PREFIX.pack(len(content)) + content)
        return True
