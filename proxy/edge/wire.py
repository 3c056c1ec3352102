"""Bytes to `FlagsRequest`, `Answer` to response: the two ends of the line.

Decoding never raises for what a client sent: it returns a request, or the refusal the service itself would send. A body that
cannot be read for certain is forwarded untouched and gets no key. Encoding writes an answer's story into the headers.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.answer.answer import Answer, Whole
from proxy.answer.intake.body import Framing, Trouble, inflate, media_type, read_strictly
from proxy.answer.intake.lenient import read_leniently
from proxy.answer.intake.query import Query, read_query
from proxy.answer.key import Scope, agent_lines, is_shareable, key_for
from proxy.answer.labels import labels, retry_after_s
from proxy.answer.request import Family, FlagsRequest, Key
from proxy.answer.shape import ErrorAnswer, Refusal, error_answer
from proxy.clock import Clock
from proxy.config.settings import Limits

from . import cors
from .forwarded import TrustedProxies
from .headers import HeaderLines, client_address, forwardable
from .tenants import Tenant, Tenants

PLACES: Final = {
    "/flags": Family.FLAGS,
    "/flags/": Family.FLAGS,
    "/decide": Family.DECIDE,
    "/decide/": Family.DECIDE,
}
"""The exact paths of the flag endpoints."""

POST: Final = "POST"


class Arrival(msgspec.Struct, frozen=True):
    """A request as it came: one of `PLACES`, the raw query, headers, the peer's address, the raw body."""

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]
    peer: str
    body: bytes


class Decoder:
    """Reads arrivals."""

    def __init__(self, *, tenants: Tenants, trusted: TrustedProxies, limits: Limits, clock: Clock) -> None:
        self._tenants = tenants
        self._trusted = trusted
        self._inflated_bytes = limits.inflated_bytes
        self._clock = clock

    def decode(self, arrival: Arrival) -> FlagsRequest | ErrorAnswer:
        """Return the request, or the refusal to answer with. The deadline is set here, once."""
        lines = forwardable(arrival.headers, peer=arrival.peer, trusted=self._trusted)
        if arrival.method != POST:
            return self._request(arrival, lines, self._tenants.anyone, version=None)
        query = read_query(arrival.query)
        framing = _framing(arrival.headers, query)
        text = inflate(arrival.body, framing, inflated_bytes=self._inflated_bytes)
        if text is Trouble.TOO_LARGE:
            return error_answer(Refusal.INFLATED_TOO_LARGE)
        fields = None if isinstance(text, Trouble) else read_strictly(text)
        tenant = self._tenants.of(fields)
        if tenant is None:
            return self._second_look(arrival, lines, query, framing, fields)
        if fields is None:
            return self._request(arrival, lines, tenant, version=query.version)
        return self._keyed(arrival, lines, tenant, query, fields)

    def _keyed(
        self, arrival: Arrival, lines: HeaderLines, tenant: Tenant, query: Query, fields: dict[str, Any]
    ) -> FlagsRequest:
        asked, writes = _asked(fields), "$anon_distinct_id" in fields
        key = self._key(arrival, lines, tenant, query, fields)
        return self._request(arrival, lines, tenant, version=query.version, key=key, asked=asked, writes=writes)

    def _key(self, arrival: Arrival, lines: HeaderLines, tenant: Tenant, query: Query, fields: dict[str, Any]) -> Key | None:
        if query.identity is None or not is_shareable(fields) or "Authorization" in arrival.headers:
            return None
        address = "" if fields.get("geoip_disable") is True else client_address(lines)
        scope = Scope(tenant.project, PLACES[arrival.path], query.identity, agent_lines(lines), address)
        return key_for(scope, fields)

    def _second_look(
        self, arrival: Arrival, lines: HeaderLines, query: Query, framing: Framing, fields: dict[str, Any] | None
    ) -> FlagsRequest | ErrorAnswer:
        """With an allow-list: find the token of a body that is not strict JSON; refuse what has none, or an unknown one."""
        if fields is None:
            fields = read_leniently(arrival.body, framing, inflated_bytes=self._inflated_bytes)
        tenant = self._tenants.of(fields)
        if tenant is not None:
            return self._request(arrival, lines, tenant, version=query.version)
        has_token = fields is not None and bool(fields.get("token"))
        return error_answer(Refusal.UNKNOWN_TOKEN if has_token else Refusal.NO_TOKEN)

    def _request(
        self,
        arrival: Arrival,
        lines: HeaderLines,
        tenant: Tenant,
        *,
        version: int | None,
        key: Key | None = None,
        asked: tuple[str, ...] | None = None,
        writes: bool = False,
    ) -> FlagsRequest:
        return FlagsRequest(
            project=tenant.project,
            upstream=tenant.upstream,
            policy=tenant.policy,
            family=PLACES[arrival.path],
            path=arrival.path,
            method=arrival.method,
            query=arrival.query,
            headers=lines,
            body=arrival.body,
            key=key,
            asked=asked,
            version=version,
            deadline=self._clock.monotonic() + tenant.policy.deadline_s,
            writes=writes,
        )


def respond(answer: Answer, origin: str | None) -> web.Response:
    """Return the response: the answer's bytes, its own lines, its story, and this request's cross-origin lines."""
    content = answer.content
    lines: CIMultiDict[str] = CIMultiDict((*labels(answer), *cors.headers_for(origin)))
    if content.content_type:
        lines["Content-Type"] = content.content_type
    if type(content) is Whole and content.headers:
        lines.extend(content.headers)
    wait_s = retry_after_s(answer)
    if wait_s is not None:
        lines["Retry-After"] = str(wait_s)
    return web.Response(status=content.status, body=content.body, headers=lines)


def refuse(error: ErrorAnswer, origin: str | None) -> web.Response:
    """Return a refusal of our own, in the service's words."""
    lines: CIMultiDict[str] = CIMultiDict(cors.headers_for(origin))
    lines["Content-Type"] = error.content_type
    lines["Cache-Status"] = "holdfast; fwd=bypass; detail=refused"
    return web.Response(status=error.status, body=error.body, headers=lines)


def _framing(headers: CIMultiDictProxy[str], query: Query) -> Framing:
    return Framing(media_type(headers.get("Content-Type")), headers.get("Content-Encoding", "").lower(), query.compression)


def _asked(fields: dict[str, Any]) -> tuple[str, ...] | None:
    keys = fields.get("flag_keys")
    return tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else None
