"""What upstream sees of a flag request: the client's own bytes and lines, and nothing that the client did not send."""

from __future__ import annotations

import base64
import json

import pytest

from proxy.config.settings import Passthrough, Policy, Project, Settings, Upstream
from tests.wire.proxy_line.house import TOKEN, House, send

BODY = json.dumps({"token": TOKEN, "distinct_id": "ada", "sent_at": "now"}, indent=1).encode()


@pytest.mark.parametrize("target", ["/flags?v=2", "/flags/?v=2&x=%2F%41&&_=1&y=a+b", "/decide/?v=3", "/decide", "/flags/"])
async def test_path_query_and_body_arrive_byte_for_byte(target: str) -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        await send(proxy.port, BODY, target=target)
        (call,) = await service.calls()
        assert (call["method"], call["target"], base64.b64decode(call["body"])) == ("POST", target, BODY)


async def test_a_path_prefix_of_the_upstream_stands_before_the_constant_path() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        proxy.line.reconfigure(Settings(upstreams={"default": Upstream(url=f"http://127.0.0.1:{service.port}/ph/")}))
        await send(proxy.port, BODY)
        (call,) = await service.calls()
        assert call["target"] == "/ph/flags/?v=2"


async def test_the_library_adds_no_lines_of_its_own() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        await send(proxy.port, BODY, headers=())
        (call,) = await service.calls()
        names = sorted(name.lower() for name, _ in call["headers"])
        assert names == ["accept-encoding", "content-length", "host", "x-forwarded-for"]


async def test_decide_is_said_by_us_and_only_on_its_own_path() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        for target in ("/decide/?v=3", "/flags/?v=2"):
            await send(proxy.port, BODY, target=target, headers=(("X-Original-Endpoint", "decide"),))
        said = [
            [value for name, value in call["headers"] if name.lower() == "x-original-endpoint"]
            for call in await service.calls()
        ]
        assert said == [["decide"], []]


async def test_what_changes_answers_is_forwarded_and_what_is_private_to_us_is_not() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        kept = (
            ("User-Agent", "posthog-node/5.70.0"),
            ("Origin", "https://a.example"),
            ("Referer", "https://a.example/x"),
            ("Sec-Fetch-Mode", "cors"),
            ("Accept-Language", "*"),
            ("X-Request-ID", "00000000-0000-4000-8000-0000000000ff"),
            ("Content-Type", "text/plain"),
        )
        await send(proxy.port, BODY, headers=(*kept, ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("Keep-Alive", "1")))
        (call,) = await service.calls()
        seen = [(name, value) for name, value in call["headers"]]
        assert [line for line in seen if line in kept] == list(kept)
        assert {name.lower() for name, _ in seen} & {"cookie", "keep-alive"} == set()
        assert [value for name, value in seen if name == "X-Forwarded-For"] == ["127.0.0.1"]


async def test_a_large_body_arrives_whole() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        body = json.dumps({"token": TOKEN, "distinct_id": "ada", "person_properties": {"p": "x" * 1_900_000}}).encode()
        assert (await send(proxy.port, body)).status == 200
        (call,) = await service.calls()
        assert base64.b64decode(call["body"]) == body


async def test_a_refused_request_reaches_nobody() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port, projects={"one": Project(tokens=("phc_other",))})
        assert (await send(proxy.port, BODY)).status == 401
        assert (await send(proxy.port, b"nonsense")).status == 401
        assert (await send(proxy.port, b" " * 3_000_000)).status == 413
        assert await service.calls() == []


async def test_each_project_goes_to_its_own_upstream() -> None:
    async with House() as house:
        here, there = await house.service(), await house.service()
        proxy = await house.proxy(here.port)
        proxy.line.reconfigure(
            Settings(
                upstreams={name: Upstream(url=f"http://127.0.0.1:{s.port}") for name, s in (("eu", here), ("us", there))},
                projects={"a": Project(tokens=(TOKEN,), upstream="us"), "b": Project(tokens=("phc_empty",), upstream="eu")},
            )
        )
        await send(proxy.port, BODY)
        assert [len(await service.calls()) for service in (here, there)] == [0, 1]


async def test_new_settings_keep_what_is_remembered() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        before = await send(proxy.port, BODY)
        await service.kill()
        upstreams = {"default": Upstream(url=f"http://127.0.0.1:{service.port}")}
        proxy.line.reconfigure(Settings(upstreams=upstreams, policy=Policy(mark_stale=False)))
        assert (await send(proxy.port, BODY)).essence == before.essence


@pytest.mark.parametrize("start", ["http://elsewhere.example", "HTTPS://elsewhere.example"])
async def test_an_absolute_target_is_a_flag_request_like_any_other_and_passes_no_foreign_token(start: str) -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        proxy.line.reconfigure(
            Settings(
                upstreams={"default": Upstream(url=f"http://127.0.0.1:{service.port}")},
                projects={"ours": Project(tokens=(TOKEN,))},
                passthrough=Passthrough(all=True),
            )
        )
        foreign = await send(proxy.port, BODY.replace(TOKEN.encode(), b"phc_foreign"), target=f"{start}/flags/?v=2")
        ours = await send(proxy.port, BODY, target=f"{start}/flags/?v=2")
        (call,) = await service.calls()
        assert (foreign.status, ours.status, call["target"]) == (401, 200, "/flags/?v=2")
