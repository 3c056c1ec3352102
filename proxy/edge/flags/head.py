"""What a request's header lines mean for a flag request, worked out once per distinct set of lines.

An SDK sends the same lines with every call, so the work of a dozen lookups (10 µs) becomes one (1 µs). Remembered are a bounded
number of short sets of lines; never any that carries a credential. A trace context, which differs with every call, is cut out
before and put back after.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec
from aiohttp import web

from proxy.answer.intake.body import media_type
from proxy.answer.key import agent_lines
from proxy.edge import cors
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.headers import HeaderLines, client_address, forwardable
from proxy.telemetry.traces.context import NAMES, TRACEPARENT, TRACESTATE, Parent, read_parent

RawLines: TypeAlias = tuple[tuple[bytes, bytes], ...]

PLAIN: Final = ("Accept-Encoding", "identity")
"""Answers are asked for unencoded, so that the bytes relayed are the bytes remembered (decision 0043)."""

REMEMBERED: Final = 1024
LONGEST_BYTES: Final = 2048
"""Together at most 2 MiB of lines, twice over as text."""

_CREDENTIALS: Final = ("Authorization", "Cookie")
_REPLACED: Final = frozenset({"accept-encoding"})
_TRACE: Final = frozenset(name.encode() for name in NAMES)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The header lines of one request, understood.

    Attributes:
        lines: What is forwarded: the client's own, but for `Accept-Encoding`.
        agent: The part of them that an answer depends on.
        address: The client's address as the service will read it.
        media_type: Of the body; JSON when not said.
        encoding: `Content-Encoding`, lower case; "" when not said.
        has_credential: The caller carries an `Authorization`: nothing of its answer may be shared.
        cross_origin: The lines every answer to this caller carries.
        is_trusted: The peer is one of `trusted_proxies`.
        number: Stands for the whole set of lines while it is remembered; 0 for one that is not.
        parent: The caller's span, where its lines are valid; `lines` has them.
    """

    lines: HeaderLines
    agent: list[tuple[str, str]]
    address: str
    media_type: str
    encoding: str
    has_credential: bool
    cross_origin: HeaderLines
    is_trusted: bool = False
    number: int = 0
    parent: Parent | None = None


class Heads:
    """Reads heads, and remembers the last so many."""

    def __init__(self, *, trusted: TrustedProxies) -> None:
        self._trusted = trusted
        self._read: dict[tuple[str | None, RawLines], Head] = {}
        self._count = 0

    def of(self, request: web.BaseRequest) -> Head:
        """Return what a request's lines mean."""
        parent = _parent(request)
        if parent is None:
            return self._known(request, request.raw_headers)
        head = self._known(request, tuple(each for each in request.raw_headers if each[0].lower() not in _TRACE))
        return msgspec.structs.replace(head, lines=(*head.lines, *parent.lines), parent=parent)

    def caller(self, request: web.BaseRequest) -> tuple[Parent | None, bool]:
        """Return the caller's span, and whether its wish to be traced counts."""
        return _parent(request), self._trusted.trusts(request.remote or "")

    def _known(self, request: web.BaseRequest, raw: RawLines) -> Head:
        place = (request.remote, raw)
        head = self._read.get(place)
        if head is None:
            head = self._look(request, is_traced=raw is not request.raw_headers)
            if not _is_private(request) and _size(raw) <= LONGEST_BYTES:
                if len(self._read) >= REMEMBERED:
                    self._read.clear()
                self._count += 1
                head = self._read[place] = msgspec.structs.replace(head, number=self._count)
        return head

    def _look(self, request: web.BaseRequest, *, is_traced: bool) -> Head:
        headers, peer = request.headers, request.remote or ""
        lines = forwardable(headers, peer=peer, trusted=self._trusted)
        dropped = _REPLACED | NAMES if is_traced else _REPLACED
        return Head(
            lines=(*(line for line in lines if line[0].lower() not in dropped), PLAIN),
            agent=agent_lines(lines),
            address=client_address(lines),
            media_type=media_type(headers.get("Content-Type")),
            encoding=headers.get("Content-Encoding", "").lower(),
            has_credential="Authorization" in headers,
            cross_origin=cors.headers_for(headers.get("Origin")),
            is_trusted=self._trusted.trusts(peer),
        )


def _parent(request: web.BaseRequest) -> Parent | None:
    line = request.headers.get(TRACEPARENT)
    return None if line is None else read_parent(line, request.headers.get(TRACESTATE))


def _is_private(request: web.BaseRequest) -> bool:
    return any(name in request.headers for name in _CREDENTIALS)


def _size(raw: RawLines) -> int:
    return sum(len(name) + len(value) for name, value in raw)
