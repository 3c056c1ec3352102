"""Answers definitions requests: from the set held to keys that upstream accepted, else with what upstream says.

    asked ─► record young? ───────────────────────────────► the set held
       └► inquiry ─► accepted ────────────────────────────► the set held (upstream's answer while none is)
             ├ refused, and believed ────────────────────► upstream's refusal, record dropped
             └ refused but doubted, or upstream away ─► known key: the set held · unknown key: 503, never a refusal of ours

What is not ours to judge (no token, no key, two of either, a project without definitions) is relayed, and so is everything of a
project that an operator switched to pure relay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web
from multidict import CIMultiDict

from proxy.answer.answer import Failure, Whole
from proxy.answer.request import ProjectName
from proxy.clock import Clock
from proxy.config.secret import Secret
from proxy.config.settings import DefinitionsStore, Settings
from proxy.definitions.document import DefinitionsSet
from proxy.edge import cors, replies
from proxy.edge.guard.targets import Target
from proxy.edge.headers import HeaderLines
from proxy.edge.through.pool import Pool
from proxy.edge.through.relay import Relay, handed_on

from .asked import Asked, Reader
from .etags import for_upstream, is_same, tagged
from .inquiry import Conclusion, Doubted, Question
from .keys import Keys
from .records import Record
from .verdict import Accepted, Refused, Unclear

RECHECK_S: Final = 30.0
"""After upstream could not be asked about a key in vain it is left alone about that key for so long."""

EARLY_RATIO: Final = 0.5
"""A key is asked about again at this share of `auth_revalidate_s`: the rest is for being refused repeatedly (`verdict`)."""

PATIENCE_S: Final = 2.5
"""Longest wait of a known key for upstream's word, within go's 3 s; the question itself goes on."""

CACHE_CONTROL: Final = "private, must-revalidate"
ALLOW: Final = "GET, OPTIONS, HEAD"
_JSON: Final = "application/json"
_CONFIRMED: Final = "confirmed"
_UNCONFIRMED: Final = "unconfirmed"
_PATH: Final = "/flags/definitions"
_LOWEST_SERVER_ERROR: Final = 500
_LOWEST_CLIENT_ERROR: Final = 400
_REPLACED: Final = frozenset({"if-none-match", "accept-encoding"})


class Sets(Protocol):
    """Where the documents are: a project's set; None while there is none."""

    def __call__(self, project: str, /) -> DefinitionsSet | None: ...


class Pure(Protocol):
    """Whether an operator switched a project to pure relay."""

    def __call__(self, project: ProjectName, /) -> bool: ...


class Definitions:
    """The endpoint under one configuration; what outlives that is in `keys`."""

    def __init__(
        self,
        settings: Settings,
        *,
        keys: Keys,
        sets: Sets,
        relay: Relay,
        pools: Mapping[str, Pool],
        is_pure: Pure = lambda _: False,
    ) -> None:
        self._projects = settings.projects
        self._store: DefinitionsStore = settings.definitions
        self._keys = keys
        self._sets = sets
        self._relay = relay
        self._pools = pools
        self._is_pure = is_pure
        self._reader = Reader(settings.projects, keys.seal)
        self._clock: Clock = keys.clock
        keys.controls.reconfigure(settings.projects, self._ask_as)

    async def handle(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Answer one request; OPTIONS never gets here."""
        if request.method != "GET":
            return await self._answer_other(request, target)
        asked = None if request.body_exists else self._reader.read(target.query, request.headers)
        if asked is None or self._is_pure(ProjectName(asked.project)):
            return await self._relay.handle(request, target)
        self._keys.meter.polls += 1
        record = self._valid(asked)
        if record is not None:
            record.polled(self._clock.monotonic())
        if record is not None and self._sets(asked.project) is not None and not self._is_due(record):
            is_doubtful = record.tried_at is not None
            return self._document(request, asked, _UNCONFIRMED if is_doubtful else _CONFIRMED)
        return await self._inquire(request, target, asked, is_known=record is not None)

    async def _answer_other(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """HEAD and what is not allowed, as the service answers them: after the token, before the key (contract §1.2)."""
        project = self._reader.project(target.query, request.headers)
        if project is None or self._sets(project) is None or self._is_pure(ProjectName(project)):
            return await self._relay.handle(request, target)
        headers = CIMultiDict(cors.headers_for(request.headers.get("Origin")))
        if request.method == "HEAD":
            headers["Content-Type"] = _JSON
            return web.Response(headers=headers)
        headers["Allow"] = ALLOW
        return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers=headers)

    def _valid(self, asked: Asked) -> Record | None:
        """Return the record of a known key; one that was not confirmed for `auth_stale_s` makes nobody known."""
        record = self._keys.records.get(asked.opening)
        is_stale = record is not None and self._clock.monotonic() - record.accepted_at > self._store.auth_stale_s
        return None if is_stale else record

    def _is_due(self, record: Record) -> bool:
        now = self._clock.monotonic()
        if now - record.accepted_at < self._store.auth_revalidate_s * EARLY_RATIO:
            return False
        return record.tried_at is None or now - record.tried_at >= RECHECK_S

    async def _inquire(self, request: web.BaseRequest, target: Target, asked: Asked, *, is_known: bool) -> web.StreamResponse:
        question = self._question(request, target, asked)
        is_patient = not is_known or self._sets(asked.project) is None
        try:
            async with asyncio.timeout(None if is_patient else PATIENCE_S):
                conclusion: Conclusion | None = await self._keys.inquiries.ask(question)
        except TimeoutError:
            conclusion = None
        if isinstance(conclusion, Accepted) and conclusion.answer.status == HTTPStatus.NOT_MODIFIED:
            self._keys.confirmed[asked.project] = (question.etag, self._clock.wall())
        return self._concluded(request, asked, conclusion)

    def _concluded(self, request: web.BaseRequest, asked: Asked, conclusion: Conclusion | None) -> web.StreamResponse:
        held = self._sets(asked.project) is not None
        if isinstance(conclusion, Accepted):
            if held or _is_unasked_304(asked, conclusion.answer):
                return self._document(request, asked, _CONFIRMED)
            return self._passed_on(request, asked, conclusion.answer)
        if isinstance(conclusion, Refused):
            self._keys.meter.refused += 1
            return handed_on(request, conclusion.answer)
        if isinstance(conclusion, Doubted):
            self._keys.meter.doubted += 1
        # Looked up again: an operator may have revoked the key meanwhile.
        if held and self._valid(asked) is not None:
            return self._document(request, asked, _UNCONFIRMED)
        return self._unknown(request, conclusion)

    def _unknown(self, request: web.BaseRequest, conclusion: Conclusion | None) -> web.StreamResponse:
        """Answer a key that nobody can say anything about: a caller's fault in upstream's words, everything else 503."""
        answer = conclusion.answer if isinstance(conclusion, Unclear) else None
        if isinstance(answer, Whole) and _LOWEST_CLIENT_ERROR <= answer.status < _LOWEST_SERVER_ERROR:
            return handed_on(request, answer)
        self._keys.meter.unavailable += 1
        return replies.error(request, HTTPStatus.SERVICE_UNAVAILABLE, replies.UNAVAILABLE)

    def _document(self, request: web.BaseRequest, asked: Asked, detail: str) -> web.Response:
        """Answer from the set held: 304 if the caller has it, else the document, byte by byte."""
        kept = self._sets(asked.project)
        if kept is None:  # its project left the configuration while upstream was asked
            return replies.error(request, HTTPStatus.SERVICE_UNAVAILABLE, replies.UNAVAILABLE)
        meter = self._keys.meter
        meter.unconfirmed += detail == _UNCONFIRMED
        etag = tagged(kept.etag, self._keys.records.renewal(asked.project))
        headers = CIMultiDict(cors.headers_for(request.headers.get("Origin")))
        headers["Cache-Status"] = f"holdfast; hit; detail={detail}"
        headers["Age"] = str(int(self._age_s(kept)))
        if etag is not None:  # the service leaves out both where it has no tag (contract §4.4)
            headers["ETag"], headers["Cache-Control"] = etag, CACHE_CONTROL
        if is_same(asked.etag, etag):
            meter.not_modified += 1
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        meter.documents += 1
        headers["Content-Type"] = _JSON
        return web.Response(body=kept.body, headers=headers)

    def _age_s(self, kept: DefinitionsSet) -> float:
        """Return the seconds since upstream gave the document, or told this worker that it still has it (RFC 9111 §4.2.3)."""
        etag, confirmed_at = self._keys.confirmed.get(kept.project, (None, 0.0))
        known_at = max(kept.fetched_at_wall, confirmed_at if etag is not None and etag == kept.etag else 0.0)
        return max(0.0, self._clock.wall() - known_at)

    def _passed_on(self, request: web.BaseRequest, asked: Asked, answer: Whole) -> web.Response:
        """Hand on upstream's document, or its 304, while none is held; its tag carries the renewal."""
        response = handed_on(request, answer)
        etag = tagged(response.headers.get("ETag"), self._keys.records.renewal(asked.project))
        if etag is not None:
            response.headers["ETag"] = etag
        return response

    def _question(self, request: web.BaseRequest, target: Target, asked: Asked) -> Question:
        """Make what goes upstream: the caller's own request, asking for news of what we hold (or of what the caller has)."""
        kept = self._sets(asked.project)
        etag = kept.etag if kept is not None else for_upstream(asked.etag, self._keys.records.renewal(asked.project))
        lines = tuple(line for line in self._relay.lines(request) if line[0].lower() not in _REPLACED)
        pool = self._pools[self._projects[asked.project].upstream]

        async def ask() -> Whole | Failure:
            self._keys.meter.asked += 1
            return await self._relay.ask(pool, "GET", target, lines=_with_etag(lines, etag))

        return Question(asked.opening, etag, ask)

    async def _ask_as(self, project: str, key: Secret) -> Whole | Failure:
        """Ask for a project's definitions with the proxy's own key."""
        found = self._projects[project]
        kept = self._sets(project)
        target = Target(_PATH, f"token={found.tokens[0]}", _PATH)
        lines = (("Authorization", f"Bearer {key.reveal()}"),)
        pool = self._pools[found.upstream]
        return await self._relay.ask(pool, "GET", target, lines=_with_etag(lines, None if kept is None else kept.etag))


def _with_etag(lines: HeaderLines, etag: str | None) -> HeaderLines:
    return lines if etag is None else (*lines, ("If-None-Match", etag))


def _is_unasked_304(asked: Asked, answer: Whole) -> bool:
    """Tell whether upstream's 304 is about the set that was held when it was asked, not about what the caller has."""
    return answer.status == HTTPStatus.NOT_MODIFIED and asked.etag is None
