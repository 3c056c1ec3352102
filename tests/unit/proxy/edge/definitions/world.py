"""The endpoint without sockets: two projects, an upstream that a test turns as it likes, and a clock that it moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import TypeAlias

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.config.settings import Definitions as Rules
from proxy.config.settings import DefinitionsStore, Project, SecretSource, Settings, Upstream
from proxy.definitions.document import DefinitionsSet, definitions_set
from proxy.edge.definitions.endpoint import Definitions
from proxy.edge.definitions.keys import Keys
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.guard.targets import Target
from proxy.edge.headers import HeaderLines
from proxy.edge.through.pool import Place, Pool
from proxy.edge.through.relay import Relay
from proxy.edge.through.tenants import Tenants
from tests.fakes.clock import FakeClock

DOCUMENT = b'{"flags":[{"key":"a"}], "group_type_mapping":{},"cohorts":{}}'
OTHER_DOCUMENT = b'{"flags":[], "group_type_mapping":{},"cohorts":{}}'
ETAG = 'W/"0123456789abcdef"'
SECRET = b"0" * 32
UPSTREAM = Upstream(url="http://127.0.0.1:1")
OWN_KEYS = {"WEB_KEY": "phx_own_web", "SHOP_KEY": "phx_own_shop"}

Say: TypeAlias = Callable[[str, str], "Whole | Failure | None"]


def status(code: int, body: bytes = b"{}") -> Whole:
    return Whole(code, "application/json", body, (("Content-Type", "application/json"),))


ANSWER_S = 0.001
AWAY = Failure(trouble=Trouble.REFUSED)


class FakeUpstream(Pool):
    """Judges as the service does, unless `say(token, key)` says otherwise; an answer takes a millisecond."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        super().__init__(Place(use="relay", name="default", upstream=UPSTREAM, connections=1, idle_s=1.0))
        self.keys = {"phc_web": {"phx_web", "phx_web_two", "phx_own_web"}, "phc_shop": {"phx_shop", "phx_own_shop"}}
        self.over_quota: set[str] = set()
        self.etag: str | None = ETAG
        self.say: Say = lambda _token, _key: None
        self.seen: list[tuple[str, str, str | None]] = []
        self.lines: list[HeaderLines] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(
        self, method: str, target: Target, *, headers: HeaderLines, body: bytes | AsyncIterable[bytes] | None = None
    ) -> Whole | Failure:
        assert method == "GET"
        assert not body
        lines = CIMultiDict(headers)
        token = lines.get("X-PostHog-Project-Api-Key") or target.query.partition("token=")[2].partition("&")[0]
        key = lines.get("Authorization", "").removeprefix("Bearer ")
        self.seen.append((token, key, lines.get("If-None-Match")))
        self.lines.append(headers)
        await self.gate.wait()
        self.clock.advance(ANSWER_S)
        return self.say(token, key) or self._judged(token, key, lines.get("If-None-Match"))

    def asked_by(self, key: str) -> int:
        return sum(seen[1] == key for seen in self.seen)

    def _judged(self, token: str, key: str, etag: str | None) -> Whole:
        if key not in self.keys.get(token, ()):
            return status(401, b'{"code":"authentication_failed"}')
        if token in self.over_quota:
            return status(402, b'{"code":"payment_required"}')
        lines = () if self.etag is None else (("ETag", self.etag),)
        if etag is not None and etag == self.etag:
            return Whole(304, "", b"", lines)
        return Whole(200, "application/json", DOCUMENT, lines)


class World:
    """`get` asks as an SDK does."""

    def __init__(self, *, projects: tuple[str, ...] = ("web", "shop"), has_own_keys: bool = True) -> None:
        self.clock = FakeClock()
        self.upstream = FakeUpstream(self.clock)
        self.sets: dict[str, DefinitionsSet] = {
            name: definitions_set(name, DOCUMENT, etag=ETAG, fetched_at_wall=self.clock.wall(), generation=1)
            for name in projects
        }
        self.pure: set[str] = set()
        self.settings = Settings(
            upstreams={"default": UPSTREAM},
            projects={
                name: Project(
                    tokens=(f"phc_{name}", f"phc_{name}_old"), definitions=Rules(key=SecretSource(env=f"{name.upper()}_KEY"))
                )
                for name in projects
            },
            definitions=DefinitionsStore(),
        )
        self.environ = OWN_KEYS if has_own_keys else {}
        self.restart()

    def restart(self) -> None:
        """Forget everything that a worker remembers."""
        self.keys = Keys(clock=self.clock, secret=SECRET, environ=self.environ)
        pools = {"default": self.upstream}
        relay = Relay(Tenants(self.settings.projects), pools, trusted=TrustedProxies(()))
        self.endpoint = Definitions(
            self.settings, keys=self.keys, sets=self.sets.get, relay=relay, pools=pools, is_pure=self.pure.__contains__
        )

    async def get(
        self,
        key: str | None = "phx_web",
        token: str | None = "phc_web",
        *,
        etag: str | None = None,
        path: str = "/flags/definitions",
        method: str = "GET",
        header_token: str | None = None,
    ) -> web.Response:
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in (
            ("Authorization", None if key is None else f"Bearer {key}"),
            ("If-None-Match", etag),
            ("X-PostHog-Project-Api-Key", header_token),
        ):
            if value is not None:
                headers[name] = value
        query = "send_cohorts" if token is None else f"token={token}&send_cohorts"
        request = make_mocked_request(method, f"{path}?{query}", headers=headers)
        answer = await self.endpoint.handle(request, Target(path, query, path))
        assert isinstance(answer, web.Response)
        return answer

    async def poll_for(self, seconds: float, *, every: float = 30.0, key: str = "phx_web", token: str = "phc_web") -> list[int]:
        """Poll as an SDK does, with the tag of the last document; return the statuses."""
        statuses, etag = [], None
        for _ in range(int(seconds / every)):
            self.clock.advance(every)
            answer = await self.get(key, token, etag=etag)
            statuses.append(answer.status)
            etag = answer.headers.get("ETag", etag)
        return statuses
