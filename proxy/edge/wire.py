"""Bytes to `FlagsRequest`, `Answer` to response: the two ends of the line.

Decoding never raises for what a client sent: it returns a request, or the refusal the service itself would send. A body that
cannot be read for certain is forwarded untouched and gets no key. Encoding writes an answer's story into the headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from proxy.answer.answer import Answer, Whole
from proxy.answer.intake.body import Framing, Trouble, inflate, read_strictly
from proxy.answer.intake.lenient import read_leniently
from proxy.answer.intake.query import LONGEST_REMEMBERED, Query, read_query
from proxy.answer.key import Scope, is_shareable, key_for
from proxy.answer.labels import labels, retry_after_s
from proxy.answer.request import Family, FlagsRequest, Key
from proxy.answer.shape import ErrorAnswer, Refusal, error_answer
from proxy.clock import Clock
from proxy.config.settings import Limits

from .flags.head import Head
from .flags.packed import Packed
from .flags.recent import Recent, Understood, is_recognisable
from .flags.tenants import Tenant, Tenants
from .headers import HeaderLines

PLACES: Final = {
    "/flags": Family.FLAGS,
    "/flags/": Family.FLAGS,
    "/decide": Family.DECIDE,
    "/decide/": Family.DECIDE,
}
"""The exact paths of the flag endpoints."""

POST: Final = "POST"
_BODILESS: Final = frozenset({204, 304})
REFUSED: Final = ("Cache-Status", "holdfast; fwd=bypass; detail=refused")


class Arrival(msgspec.Struct, frozen=True):
    """A request as it came: method, path and query together and apart, what its header lines mean, the raw body."""

    method: str
    target: str
    path: str
    query: str
    head: Head
    body: bytes


class Decoder:
    """Reads arrivals."""

    def __init__(self, *, tenants: Tenants, limits: Limits, clock: Clock) -> None:
        self._tenants = tenants
        self._inflated_bytes = limits.inflated_bytes
        self._clock = clock
        self._recent = Recent()

    def decode(self, arrival: Arrival) -> FlagsRequest | ErrorAnswer:
        """Return the request, or the refusal to answer with. The deadline is set here, once."""
        if arrival.method != POST:
            return self._request(arrival, self._tenants.anyone, version=None)
        query, head = read_query(arrival.query), arrival.head
        framing = Framing(head.media_type, head.encoding, query.compression)
        text = inflate(arrival.body, framing, inflated_bytes=self._inflated_bytes)
        if text is Trouble.TOO_LARGE:
            return error_answer(Refusal.INFLATED_TOO_LARGE)
        if isinstance(text, Trouble):
            return self._second_look(arrival, query, framing, None)
        known = self._recent.find(text, target=arrival.target, head=head.number)
        return self._look(arrival, query, framing, text) if known is None else self._known(arrival, query, known)

    def _known(self, arrival: Arrival, query: Query, known: Understood) -> FlagsRequest:
        return self._request(
            arrival,
            known.tenant,
            version=query.version,
            key=known.key,
            asked=known.asked,
            writes=known.writes,
            credential=known.credential,
        )

    def _look(self, arrival: Arrival, query: Query, framing: Framing, text: bytes) -> FlagsRequest | ErrorAnswer:
        fields = read_strictly(text)
        tenant = self._tenants.of(fields)
        if tenant is None or fields is None:
            return self._second_look(arrival, query, framing, fields)
        is_short = len(arrival.query) <= LONGEST_REMEMBERED  # it would be remembered with every body
        is_kept = is_short and arrival.head.number and is_recognisable(text, has_sent_at="sent_at" in fields)
        asked, writes, credential = _asked(fields), "$anon_distinct_id" in fields, _credential(fields)
        key = _key(arrival, tenant, query, fields)
        if key is None:
            return self._request(arrival, tenant, version=query.version, asked=asked, writes=writes, credential=credential)
        understood = Understood(tenant, key, asked, writes, credential)
        if is_kept:
            self._recent.keep(text, understood, target=arrival.target, head=arrival.head.number)
        return self._known(arrival, query, understood)

    def _second_look(
        self, arrival: Arrival, query: Query, framing: Framing, fields: dict[str, Any] | None
    ) -> FlagsRequest | ErrorAnswer:
        """With an allow-list: find the token of a body that is not strict JSON; refuse what has none, or an unknown one."""
        if fields is None and self._tenants.open is None:
            fields = read_leniently(arrival.body, framing, inflated_bytes=self._inflated_bytes)
        tenant = self._tenants.of(fields)
        if tenant is not None:
            return self._request(arrival, tenant, version=query.version)
        has_token = fields is not None and bool(fields.get("token"))
        return error_answer(Refusal.UNKNOWN_TOKEN if has_token else Refusal.NO_TOKEN)

    def _request(
        self,
        arrival: Arrival,
        tenant: Tenant,
        *,
        version: int | None,
        key: Key | None = None,
        asked: tuple[str, ...] | None = None,
        writes: bool = False,
        credential: int = 0,
    ) -> FlagsRequest:
        now = self._clock.monotonic()
        return FlagsRequest(
            project=tenant.project,
            upstream=tenant.upstream,
            policy=tenant.policy,
            family=PLACES[arrival.path],
            path=arrival.path,
            method=arrival.method,
            query=arrival.query,
            headers=arrival.head.lines,
            body=arrival.body,
            key=key,
            asked=asked,
            version=version,
            deadline=now + tenant.policy.deadline_s,
            started=now,
            writes=writes,
            credential=credential,
        )


def respond(answer: Answer, arrival: Arrival) -> web.StreamResponse:
    """Return the response: the answer's bytes, its own lines, its story, and this caller's cross-origin lines."""
    content = answer.content
    lines = (*labels(answer), *arrival.head.cross_origin)
    if content.content_type:
        lines = (("Content-Type", content.content_type), *lines)
    if type(content) is Whole and content.headers:
        lines = (*content.headers, *lines)
    if content.status == 503:  # noqa: PLR2004 - the one status of ours that suggests when to come back
        lines = (*lines, *_retry_after(answer))
    return _response(arrival.method, content.status, lines, content.body)


def refuse(error: ErrorAnswer, head: Head) -> web.StreamResponse:
    """Return a refusal of our own, in the service's words."""
    return Packed(error.status, (("Content-Type", error.content_type), REFUSED, *head.cross_origin), error.body)


def _response(method: str, status: int, lines: HeaderLines, body: bytes) -> web.StreamResponse:
    if method == POST and status not in _BODILESS:  # a pure relay hands on these too
        return Packed(status, lines, body)
    return web.Response(status=status, body=body, headers=CIMultiDict(lines))


def _retry_after(answer: Answer) -> HeaderLines:
    wait_s = retry_after_s(answer)
    return () if wait_s is None else (("Retry-After", str(wait_s)),)


def _key(arrival: Arrival, tenant: Tenant, query: Query, fields: dict[str, Any]) -> Key | None:
    head = arrival.head
    if query.identity is None or head.has_credential or not is_shareable(fields):
        return None
    address = "" if fields.get("geoip_disable") is True else head.address
    return key_for(Scope(tenant.project, PLACES[arrival.path], query.identity, head.agent, address), fields)


def _credential(fields: Mapping[str, Any]) -> int:
    token = fields.get("token")
    return hash(token) if isinstance(token, str) else 0


def _asked(fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    keys = fields.get("flag_keys")
    return tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else None
