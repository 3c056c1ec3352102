"""Definitions and remote config: handed on whole, remembered nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from proxy.config.settings import Project
from tests.wire.edge.recorder import recorder, saying
from tests.wire.edge.rooms import Caller, rooms, settings_for
from tests.wire.edge.service import PERSONAL_KEY, TOKEN, service

Run = Callable[..., None]

DEFINITIONS = "/flags/definitions?token=phc_one&send_cohorts"
KEY = f"Authorization: Bearer {PERSONAL_KEY}"
REMOTE_CONFIG = "/api/projects/@current/feature_flags/my-key/remote_config?token=phc_one"
DOCUMENT = b'{"flags":[], "group_type_mapping":{},"cohorts":{}}'
ANSWER = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: W/"0123456789abcdef"\r\n'
    b"cache-control: private, must-revalidate\r\nvary: origin\r\naccess-control-allow-origin: https://other.example\r\n"
    b"set-cookie: a=1\r\nserver: envoy\r\nx-posthog-legacy-definitions: 1\r\nContent-Length: " + str(len(DOCUMENT)).encode()
    + b"\r\n\r\n" + DOCUMENT
)  # fmt: skip


@pytest.mark.parametrize(
    "target",
    [
        DEFINITIONS,
        "/flags/definitions/?send_cohorts",
        "/api/feature_flag/local_evaluation?token=phc_one",
        "/api/feature_flag/local_evaluation/?token=phc_one&send_cohorts",
        REMOTE_CONFIG,
        "/api/projects/1/feature_flags/a%20b/remote_config/?token=phc_one",
    ],
)
def test_status_bytes_and_lines_come_back_as_upstream_sent_them(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with recorder(saying(ANSWER)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get(
                target, "Authorization: Bearer phx_key", 'If-None-Match: W/"old"', "User-Agent: posthog-go/1"
            )
            assert (reply.status, reply.body) == (200, DOCUMENT)
            assert reply.value("etag") == 'W/"0123456789abcdef"'
            assert reply.value("cache-control") == "private, must-revalidate"
            assert reply.value("content-type") == "application/json"
            assert reply.value("x-posthog-legacy-definitions") == "1"
            assert reply.values("set-cookie") == reply.values("access-control-allow-origin") == []
            assert len(reply.values("date")) == len(reply.values("content-length")) == len(reply.values("vary")) == 1
            (seen,) = upstream.seen
            assert (seen.method, seen.target, seen.body) == ("GET", target, b"")
            assert seen.lines == [
                ("Host", f"127.0.0.1:{upstream.port}"),
                ("Authorization", "Bearer phx_key"),
                ("If-None-Match", 'W/"old"'),
                ("User-Agent", "posthog-go/1"),
                ("X-Forwarded-For", "127.0.0.1"),
            ]

    run(scenario())


def test_no_cache_of_clients_is_not_passed_on(run: Run) -> None:
    async def scenario() -> None:
        async with recorder(saying(ANSWER)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            await proxy.get(DEFINITIONS, "Cache-Control: no-cache", "Pragma: no-cache")
            assert upstream.seen[0].values("cache-control") == upstream.seen[0].values("pragma") == []

    run(scenario())


@pytest.mark.parametrize(
    "raw",
    [
        b'HTTP/1.1 304 Not Modified\r\netag: W/"a"\r\ncache-control: private, must-revalidate\r\n\r\n',
        b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 402 Payment Required\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 405 Method Not Allowed\r\nallow: GET, OPTIONS, HEAD\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_any_status_of_the_service_is_its_own_to_give(run: Run, raw: bytes) -> None:
    async def scenario() -> None:
        async with recorder(saying(raw)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get(DEFINITIONS)
            first, _, body = raw.partition(b"\r\n\r\n")
            assert reply.status == int(first.split(b" ")[1])
            assert reply.body == body
            for name in ("etag", "allow"):
                assert (reply.value(name) is not None) == (name.encode() in first)

    run(scenario())


def test_head_brings_a_head_only(run: Run) -> None:
    async def scenario() -> None:
        answer = ANSWER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        async with recorder(saying(answer)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get(DEFINITIONS, method="HEAD")
            assert (reply.status, reply.body) == (200, b"")
            assert upstream.seen[0].method == "HEAD"

    run(scenario())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200",
    ],
    ids=["nothing", "cut short", "cut chunks", "bad chunk", "garbage", "half a line"],
)  # fmt: skip
@pytest.mark.parametrize("target", [DEFINITIONS, REMOTE_CONFIG])
def test_a_broken_answer_is_a_503_and_never_half_a_document(run: Run, raw: bytes, target: str) -> None:
    async def scenario() -> None:
        async with recorder(saying(raw, close=True)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            reply = await proxy.get(target, "Origin: https://app.example")
            assert reply.status == 503
            assert json.loads(reply.body)["code"] == "service_unavailable"
            assert reply.value("retry-after") == "5"
            assert reply.value("access-control-allow-origin") == "https://app.example"
            assert len(upstream.seen) == 1

    run(scenario())


def test_an_upstream_that_is_away_is_a_503_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream:
            url = upstream.url
        async with rooms(settings_for(url)) as proxy:
            assert (await proxy.get(DEFINITIONS)).status == 503
            assert (await proxy.get(REMOTE_CONFIG)).status == 503

    run(scenario())


def test_an_upstream_that_says_nothing_is_a_503_at_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        async with recorder(saying(b"")) as upstream, rooms(settings_for(upstream.url), relay_deadline_s=0.1) as proxy:
            assert (await proxy.get(DEFINITIONS)).status == 503

    run(scenario())


LOCAL = f"/flags/definitions?token={TOKEN}&send_cohorts"


@pytest.mark.parametrize(
    ("method", "target", "lines"),
    [
        ("GET", LOCAL, [KEY]),
        ("GET", LOCAL.replace("definitions", "definitions/"), [KEY]),
        ("GET", LOCAL.replace("/flags/definitions", "/api/feature_flag/local_evaluation"), [KEY]),
        ("HEAD", LOCAL, [KEY]),
        ("POST", LOCAL, [KEY, "Content-Length: 0"]),
        ("GET", LOCAL, []),
        ("GET", LOCAL, ["Authorization: Bearer phx_other"]),
        ("GET", "/flags/definitions?token=phc_other", [KEY]),
        ("GET", "/flags/definitions", [KEY]),
        ("GET", f"/api/projects/@current/feature_flags/remote-settings/remote_config?token={TOKEN}", [KEY]),
        ("GET", f"/api/projects/@current/feature_flags/none/remote_config?token={TOKEN}", [KEY]),
        ("GET", f"/api/projects/@current/feature_flags/none/remote_config?token={TOKEN}", []),
    ],
)
def test_the_services_answer_and_ours_are_the_same(run: Run, method: str, target: str, lines: list[str]) -> None:
    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy:
            direct = Caller(int(upstream.url.rpartition(":")[2]))
            etag = (await direct.get(target, *lines)).value("etag")
            for conditions in ([], [f"If-None-Match: {etag}"]):
                here = await proxy.get(target, *lines, *conditions, method=method)
                there = await direct.get(target, *lines, *conditions, method=method)
                assert (here.status, here.body) == (there.status, there.body)
                for name in ("content-type", "etag", "cache-control", "allow"):
                    assert here.value(name) == there.value(name), name

    run(scenario())


@pytest.mark.parametrize("target", [DEFINITIONS, REMOTE_CONFIG])
def test_nothing_is_remembered(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with recorder(saying(ANSWER)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            assert (await proxy.get(target)).body == DOCUMENT
            upstream.script = saying(b"", close=True)
            reply = await proxy.get(target)
            assert reply.status == 503
            assert DOCUMENT not in reply.body

    run(scenario())


@pytest.mark.parametrize(
    ("target", "lines", "is_served"),
    [
        (DEFINITIONS, [], True),
        (REMOTE_CONFIG, [], True),
        ("/flags/definitions/?send_cohorts", ["X-PostHog-Project-Api-Key: phc_one"], True),
        ("/flags/definitions?token=phc_other", [], False),
        ("/flags/definitions", ["X-PostHog-Project-Api-Key: phc_other"], False),
        ("/flags/definitions?token=phc_one", ["X-PostHog-Project-Api-Key: phc_other"], False),
        ("/flags/definitions?token=phc_one&token=phc_other", [], False),
        (REMOTE_CONFIG.replace("phc_one", "phc_other"), [], False),
        ("/fl%61gs/definitions?token=phc_other", [], False),
    ],
)
def test_the_proxy_is_no_open_relay(run: Run, target: str, lines: list[str], is_served: bool) -> None:
    async def scenario() -> None:
        async with recorder(saying(ANSWER)) as upstream:
            settings = settings_for(upstream.url, projects={"one": Project(tokens=("phc_one",))})
            async with rooms(settings) as proxy:
                reply = await proxy.get(target, *lines)
                assert (reply.status == 200) is is_served
                assert reply.status in {200, 400, 403}
                assert len(upstream.seen) == is_served

    run(scenario())
