"""Secrets and identities are planted, every scenario is played, and every byte that leaves the proxy is searched.

Its answers to callers apart, that is: all that is pushed to the collector, every log line, every page of the admin face and of
health, and every file. Two things lie on the disk by design, in folders that only the owner can read, and nowhere else: the
project's public token in the accepted configuration, and the definitions, with whatever their filters say.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import UNRESOLVABLE_HOST
from harness.faults.play.stage import Stage
from harness.faults.scenario import Scenario
from harness.faults.semantic.layer import Layer
from harness.faults.semantic.service import build_faulty
from reference.service.project.project import load_catalogue
from tests.telemetry.sink import Sink
from tests.wire.process.support.instance import Instance
from tests.wire.proxy_line.house import DOCUMENT, NEW_ID, NOW

TOKEN = "phc_canarytoken4711"
KEY = "phx_canarykey4711"
CALLERS_KEY = "phx_canarycaller4711"
PERSON = "canary-person-4711"
EMAIL = "canary.who@example.com"
VALUE = "canary-value-4711"
IN_DEFINITIONS = "canary-filter-4711"
ADMIN, COLLECTOR = "canary-admin-4711", "Bearer canary-collector-4711"
CANARIES = (TOKEN, KEY, CALLERS_KEY, PERSON, EMAIL, VALUE, IN_DEFINITIONS, ADMIN, COLLECTOR)

FILTERED = {"groups": [{"properties": [{"key": "plan", "value": [IN_DEFINITIONS], "operator": "exact", "type": "person"}]}]}
PAGES = ("/status.json", "/metrics", "/definitions", "/switches", "/breakers")
HEALTH = ("/_holdfast/live", "/_holdfast/ready", "/_holdfast/fresh", "/_holdfast/mode")
CONFIG = """
trusted_proxies = ["127.0.0.1/32"]
[upstreams.default]
url = "{url}"
[projects.shop]
tokens = ["{token}"]
[projects.shop.definitions]
key = {{env = "CANARY_KEY"}}
poll_s = 1.0
[policy]
deadline_s = 0.4
deadline_at_hand_s = 0.3
exchange_s = 0.5
[breaker]
consecutive = 1000
minimum_calls = 100000
[admin]
port = 0
token = {{env = "CANARY_ADMIN"}}
[definitions]
directory = "{definitions}"
[store]
directory = "{store}"
hmac_key = {{env = "CANARY_HMAC"}}
[log]
level = "debug"
access_ratio = 1.0
[telemetry]
otlp_url = "{collector}"
authorization = {{env = "CANARY_COLLECTOR"}}
trace_ratio = 1.0
push_s = 1.0
"""


def document() -> bytes:
    flags = [*DOCUMENT["flags"], {"id": 99, "key": "filtered", "active": True, "filters": FILTERED}]
    service = DOCUMENT["service"] | {"tokens": [TOKEN], "personal_keys": {KEY: {}, CALLERS_KEY: {}}}
    return json.dumps(DOCUMENT | {"flags": flags, "service": service}).encode()


def disguises(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as it would look encoded."""
    plain = secret.encode()
    yield from {plain, quote(secret, safe="").encode(), plain.hex().encode()}
    yield base64.b64encode(plain).rstrip(b"=")[:-2]


def found(where: str, content: bytes, secrets: tuple[str, ...] = CANARIES) -> list[str]:
    return [f"{secret} in {where}" for secret in secrets if any(each in content for each in disguises(secret))]


class Caller:
    """Asks with everything planted that a request can carry."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{port}"

    async def ask(self, person: str, path: str = "/flags/?v=2") -> None:
        body = {
            "token": TOKEN,
            "distinct_id": f"{PERSON}-{person}",
            "$anon_distinct_id": f"{PERSON}-before",
            "person_properties": {"email": EMAIL, "plan": VALUE, "$ip": "203.0.113.7"},
            "groups": {"organization": VALUE},
            "group_properties": {"organization": {"name": VALUE}},
        }
        headers = {
            "Authorization": f"Bearer {CALLERS_KEY}", "Cookie": f"session={VALUE}", "X-Forwarded-For": "203.0.113.7",
            "Referer": f"https://shop.invalid/?email={EMAIL}",
        }  # fmt: skip
        async with self._session.post(f"{self._base}{path}&ip={quote(EMAIL)}", json=body, headers=headers) as answer:
            await answer.read()

    async def plain(self, person: str) -> None:
        """Ask as most do, so that answers are remembered, too."""
        body = {"token": TOKEN, "distinct_id": f"{PERSON}-{person}", "person_properties": {"email": EMAIL, "plan": VALUE}}
        async with self._session.post(f"{self._base}/flags/?v=2", json=body) as answer:
            await answer.read()

    async def definitions(self) -> None:
        headers = {"Authorization": f"Bearer {CALLERS_KEY}"}
        async with self._session.get(f"{self._base}/flags/definitions?token={TOKEN}", headers=headers) as answer:
            await answer.read()

    async def broken(self) -> None:
        """What cannot be read, and who is unknown."""
        for body in (f'{{"token":"{TOKEN}","distinct_id":"{PERSON}"', json.dumps({"token": VALUE, "distinct_id": PERSON})):
            async with self._session.post(f"{self._base}/flags/?v=2", data=body) as answer:
                await answer.read()
        async with self._session.get(f"{self._base}/nowhere/{quote(EMAIL)}?token={TOKEN}") as answer:
            await answer.read()


async def served(session: aiohttp.ClientSession, instance: Instance) -> list[str]:
    """Every page of the operators' and of health, searched; and none of them is missing."""
    trouble: list[str] = []
    headers = {"Authorization": f"Bearer {ADMIN}"}
    for base, paths in ((instance.admin, PAGES), (f"http://127.0.0.1:{instance.port}", HEALTH)):
        for path in paths:
            async with session.get(f"{base}{path}", headers=headers if base == instance.admin else {}) as answer:
                assert answer.status in {200, 503}, path
                trouble += found(path, await answer.read() + str(answer.headers).encode())
    return trouble


def written(folder: Path) -> list[str]:
    """Every file below a folder, searched; what lies there by design is looked for in all others."""
    trouble: list[str] = []
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        place = file.relative_to(folder)
        allowed = {TOKEN} if place.name in {"config.json", "holdfast.toml"} else set[str]()
        allowed |= {IN_DEFINITIONS} if place.parts[0] == "definitions" else set()
        trouble += found(str(place), file.read_bytes(), tuple(secret for secret in CANARIES if secret not in allowed))
    return trouble


async def play(stage: Stage, scenario: Scenario, caller: Caller) -> None:
    """One scenario at its worst: callers who are known, strangers, definitions, and nonsense."""
    await stage.put_on(scenario.worst)
    await asyncio.gather(
        caller.plain("known"), caller.plain(scenario.id), caller.ask("known"), caller.definitions(), caller.broken()
    )
    await stage.calm()
    await caller.plain("known")


async def reloaded(session: aiohttp.ClientSession, instance: Instance, point: Callable[[str], None], host: str) -> None:
    """Have the instance look for its upstream elsewhere."""
    point(host)
    async with session.post(f"{instance.admin}/reload", headers={"Authorization": f"Bearer {ADMIN}"}) as answer:
        assert answer.status == 200


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = {"KEY": KEY, "ADMIN": ADMIN, "COLLECTOR": COLLECTOR, "HMAC": "an-hmac-key-of-the-store-itself-32b"}
    for name, value in planted.items():
        monkeypatch.setenv(f"CANARY_{name}", value)


@pytest.mark.usefixtures("secrets")
async def test_no_canary_is_exported_logged_served_or_written(tmp_path: Path) -> None:
    layer = Layer(seed=1)
    stage = Stage(build_faulty(load_catalogue(document()), layer, clock=lambda: NOW, new_id=lambda: NEW_ID), layer, seed=1)
    places = {name: tmp_path / name for name in ("definitions", "store")}
    for place in places.values():
        place.mkdir(mode=0o700)
    config = tmp_path / "holdfast.toml"

    def point(host: str) -> None:
        url = f"http://{host}:{stage.port}"
        config.write_text(CONFIG.format(url=url, token=TOKEN, collector=sink.url, **places))

    async with AsyncExitStack() as stack:
        stack.push_async_callback(stage.close)
        await stage.start()
        sink = await stack.enter_async_context(Sink())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        point("127.0.0.1")
        async with Instance(config=config, LISTEN__PORT=0) as instance:
            await instance.ready(1)
            caller = Caller(session, instance.port)
            await caller.plain("known")
            for scenario in SCENARIOS.values():
                if not scenario.worst.is_resolvable:
                    await reloaded(session, instance, point, UNRESOLVABLE_HOST)
                await play(stage, scenario, caller)
                if not scenario.worst.is_resolvable:
                    await reloaded(session, instance, point, "127.0.0.1")
            trouble = await served(session, instance)
            instance.signal(15)
            assert await instance.ended() == 0
            trouble += written(instance.folder)
        trouble += found("the log", json.dumps(instance.lines, ensure_ascii=False).encode() + instance.stderr.encode())
        trouble += [each for body in sink.raw for each in found("what was pushed", body)]
        trouble += written(tmp_path)
        assert sorted(set(trouble)) == []
        assert len(sink.spans()) > 3 * len(SCENARIOS), "it was looked at enough"
        assert len(instance.events("fallback")) > 10
        assert (places["store"]).exists()
        assert any(places["store"].rglob("*")), "something was remembered on the disk"


def test_the_search_finds_what_is_planted() -> None:
    for secret in CANARIES:
        for disguise in disguises(secret):
            assert found("here", b"before " + disguise + b" after") != []
