"""The semantic layer: stands around the one request → response function of `reference.service` and plays rules on it.

It counts every request, faulted or not. A made answer (`say`) costs the service nothing; every other fault is made of the true
answer, so that content is wrong in exactly the way the fault says and in no other.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from harness.faults.fault import AnyFault, BadDefinitions, Broken, Emptied, Endpoint, Failing, Outdated, Rule, Say, Shrunk, Slow
from harness.faults.schedule import Chance

from .edits import edited, etag_of
from .message import damaged

Exchange = Callable[[web.Request], Awaitable[web.StreamResponse]]

OK: Final = 200
_DEFINITIONS: Final = frozenset({"/flags/definitions", "/api/feature_flag/local_evaluation"})
_FLAGS: Final = frozenset({"/flags", "/decide"})


class Layer:
    """Faults in front of the service.

    Attributes:
        requests: How many came, by endpoint; liveness and ingestion are not counted.
        played: How many faults were played, by kind.
        rules: What is played now; replace it with `switch`.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.requests: Counter[Endpoint] = Counter()
        self.played: Counter[str] = Counter()
        self._chance = Chance(seed)
        self._met: Counter[Rule] = Counter()
        self._true: Exchange
        self._freeze: Callable[[], Exchange]
        self._frozen: Exchange | None = None

    def switch(self, rules: tuple[Rule, ...]) -> None:
        """Play these rules from the next request on; `outdated` freezes the definitions of this moment."""
        needs_past = any(isinstance(rule.fault, Outdated) for rule in rules)
        self._frozen = (self._frozen or self._freeze()) if needs_past else None
        self.rules = rules
        self._met.clear()

    def forget(self) -> None:
        """Begin counting afresh."""
        self.requests.clear()
        self.played.clear()

    def around(self, exchange: Exchange) -> Exchange:
        """Wrap the service's exchange: the `around` of `reference.service.app.build`."""
        self._true = exchange
        return self._answer

    def bind(self, freeze: Callable[[], Exchange]) -> None:
        """Say how to get an exchange that stays with the definitions of now."""
        self._freeze = freeze

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        endpoint = _endpoint_of(request)
        if endpoint is None:
            return await self._true(request)
        self.requests[endpoint] += 1
        rule = self._chance.draw(self.rules, endpoint)
        if rule is None:
            return await self._true(request)
        self._met[rule] += 1
        if rule.first and self._met[rule] >= rule.first:
            self.rules = tuple(each for each in self.rules if each != rule)
        self.played[_kind(rule.fault)] += 1
        return await self._play(rule.fault, request)

    async def _play(self, fault: AnyFault, request: web.Request) -> web.StreamResponse:
        match fault:
            case Say():
                return await _said(fault, request)
            case Slow():
                response = await self._true(request)
                await asyncio.sleep(self._chance.around(fault.seconds, fault.jitter_s))
                return response
            case Outdated():
                return await (self._frozen or self._true)(request)
            case Broken(how=how):
                whole = _readable(await self._true(request))
                return damaged(whole.status, whole.content_type, _body(whole), how)
            case _:
                return await self._edit(fault, request)

    async def _edit(self, fault: Emptied | Shrunk | Failing | BadDefinitions, request: web.Request) -> web.StreamResponse:
        """Ask unconditionally, so that there is a body to edit, and answer the caller's condition about the edited one."""
        asked = request.headers.get("If-None-Match")
        plain = request.headers.copy()
        plain.popall("If-None-Match", None)
        response = _readable(await self._true(request.clone(headers=plain)))
        if response.status != OK or not _body(response):
            return response
        response.body = edited(_body(response), fault)
        if "ETag" in response.headers:
            etag = response.headers["ETag"] = etag_of(_body(response))
            if asked == etag:
                return web.Response(status=304, headers={"ETag": etag})
        return response


async def _said(fault: Say, request: web.Request) -> web.Response:
    async for _ in request.content.iter_any():
        pass  # a body left unread would turn our close into a reset
    await asyncio.sleep(fault.after_s)
    response = web.Response(status=fault.status, body=fault.body.encode() or None)
    if fault.content_type:
        response.headers["Content-Type"] = fault.content_type
    response.headers.extend(fault.headers)
    return response


def _endpoint_of(request: web.Request) -> Endpoint | None:
    path = request.rel_url.raw_path.removesuffix("/")
    if request.method == "OPTIONS":
        return None
    return Endpoint.DEFINITIONS if path in _DEFINITIONS else Endpoint.FLAGS if path in _FLAGS else None


def _kind(fault: AnyFault) -> str:
    return str(type(fault).__struct_config__.tag)


def _readable(response: web.StreamResponse) -> web.Response:
    assert isinstance(response, web.Response)  # the service makes no others
    return response


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""
