"""Damaged messages: a true answer written to the socket by hand, because an HTTP library refuses to write it wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from harness.faults.fault import Breakage

Damage = Callable[[bytes], tuple[str, bytes]]


class Damaged(web.StreamResponse):
    """The bytes of a whole message, head included, sent as they are; `closes` ends the connection behind them."""

    def __init__(self, raw: bytes, *, closes: bool) -> None:
        super().__init__()
        self._raw = raw
        self._closes = closes
        if closes:
            self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write everything; nothing of the library's own goes out."""
        transport = request.transport
        if transport is not None and not transport.is_closing():
            transport.write(self._raw)
            if self._closes:
                transport.close()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


def damaged(status: int, content_type: str, body: bytes, how: Breakage) -> Damaged:
    """Return the true answer in a message that is damaged in one way."""
    framing, payload = _DAMAGES[how](body)
    # Without a word about it a caller that keeps connections may write its next request into one that is closing.
    ending = "" if how is Breakage.LENGTH_TOO_SHORT else "Connection: close\r\n"
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\n{ending}{framing}\r\n\r\n"
    return Damaged(head.encode("latin-1") + payload, closes=how in _ENDS)


def _length(payload: bytes, *, said: int | None = None) -> tuple[str, bytes]:
    return f"Content-Length: {len(payload) if said is None else said}", payload


def _gzip(body: bytes) -> tuple[str, bytes]:
    """Flip the deflate stream behind a good header."""
    packed = gzip.compress(body, mtime=0)  # the same answer is the same bytes, whatever the second
    payload = packed[:10] + bytes(byte ^ 0xFF for byte in packed[10:])
    return f"Content-Encoding: gzip\r\nContent-Length: {len(payload)}", payload


def _half_chunks(body: bytes) -> tuple[str, bytes]:
    half = len(body) // 2
    return "Transfer-Encoding: chunked", b"%x\r\n%b\r\n%x\r\n" % (half, body[:half], len(body) - half)


_ENDS: Final = frozenset({Breakage.LENGTH_TOO_LONG, Breakage.CUT_CHUNKS})
"""Only an end of the connection tells these apart from a slow sender. After a length that is too short it stays open: what is
left over must not be taken for the next answer."""

_DAMAGES: Final[dict[Breakage, Damage]] = {
    Breakage.TRUNCATED_JSON: lambda body: _length(body[: len(body) // 2]),
    Breakage.BAD_GZIP: _gzip,
    Breakage.LENGTH_TOO_LONG: lambda body: _length(body, said=len(body) + 1000),
    Breakage.LENGTH_TOO_SHORT: lambda body: _length(body, said=len(body) // 2),
    Breakage.CUT_CHUNKS: _half_chunks,
}
