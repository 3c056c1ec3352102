"""Must show 3: every row of the contract's shape and error tables is, through the proxy, the service's own answer to the byte.

The service is asked directly under the name that the proxy asks it by: a cookieless identity is made from `Host`, too.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import NamedTuple

import pytest
from aiohttp import web

from proxy.config.settings import Policy, Project
from reference.response import ERRORS, Refusal
from tests.wire.proxy_line.house import TOKEN, Exchange, House, send

JSON = ("Content-Type", "application/json")
TEXT = ("Content-Type", "text/plain")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
SERVER = ("User-Agent", "posthog-python/7.91.1")
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
BASIC = {"token": TOKEN, "distinct_id": "ada"}
BODY = json.dumps(BASIC).encode()
EMPTY = json.dumps({"token": "phc_empty", "distinct_id": "ada"}).encode()
OVER = json.dumps({"token": "phc_over", "distinct_id": "ada"}).encode()
BASE64 = base64.b64encode(BODY)


class Row(NamedTuple):
    name: str
    target: str = "/flags/?v=2"
    body: bytes = BODY
    headers: tuple[tuple[str, str], ...] = (JSON, SERVER)
    method: str = "POST"
    is_read: bool = True  # False: with an allow-list the token cannot be found, and the proxy refuses


def row(name: str, **fields: object) -> Row:
    body = fields.pop("fields", None)
    return Row(name, **({"body": json.dumps(BASIC | body).encode()} if isinstance(body, dict) else {}), **fields)  # type: ignore[arg-type]


SHAPES = [
    *(Row(f"flags v={v}", f"/flags/?v={v}") for v in ("", "0", "1", "2", "3", "4", "5", "x", "-1", "99999999999")),
    *(Row(f"decide v={v}", f"/decide/?v={v}") for v in ("1", "2", "3", "4", "9", "x")),
    *(Row(f"bare {path}", path) for path in ("/flags", "/flags/", "/decide", "/decide/")),
    *(Row(f"config={c}", f"/flags/?v=2&config={c}") for c in ("", "true", "0", "odd")),
    Row("config alone", "/flags/?config=false"),
    Row("decide without config", "/decide/?v=3&config=false"),
    Row("config of a project without one", "/flags/?v=2&config=1", EMPTY),
    Row("no flags", body=EMPTY),
    *(Row(f"over quota {t}", t, OVER) for t in ("/flags/?v=2", "/flags/?v=1", "/decide/?v=1", "/decide/?v=4", "/flags/")),
    Row("surveys only", "/flags/?v=2&only_evaluate_survey_feature_flags=true"),
    Row("no slash before the query", "/flags?v=2"),
    Row("time and version in the query", "/flags/?v=2&_=1700000000000&ver=1.2&ip=1"),
    *(
        Row(f"{m} {p}", p, b"", (), m)
        for m in ("GET", "HEAD", "PUT", "DELETE", "PATCH")
        for p in ("/flags/?v=2", "/decide", "/flags")
    ),
    Row("a browser", headers=(TEXT, BROWSER, ("Origin", "https://a.example"), ("Sec-Fetch-Mode", "cors"))),
    Row("a decide header of a client counts for nothing", headers=(JSON, SERVER, ("X-Original-Endpoint", "flags"))),
]

BODIES = [
    row("one flag", fields={"flag_keys": ["on"]}),
    row("no flag", fields={"flag_keys_to_evaluate": []}),
    row("flags disabled", fields={"disable_flags": True}),
    row(
        "properties and groups", fields={"person_properties": {"a": 1}, "groups": {"organization": "o"}, "group_properties": {}}
    ),
    row("geoip off", fields={"geoip_disable": True}),
    row("runtime", fields={"evaluation_runtime": "client"}),
    row("a number as identity", fields={"distinct_id": 17}),
    row("an empty identity", fields={"distinct_id": ""}),
    row("cookieless", fields={"distinct_id": "$posthog_cookieless"}),
    row("a device", fields={"$device_id": "d"}),
    row("an unknown field", fields={"next_year": [1, 2.5, None]}),
    Row("gzip with a header", body=gzip.compress(BODY, mtime=0), headers=(JSON, SERVER, ("Content-Encoding", "gzip"))),
    Row("gzip as text", body=gzip.compress(BODY, mtime=0), headers=(TEXT, BROWSER)),
    Row("gzip-js", "/flags/?v=2&compression=gzip-js", gzip.compress(BODY, mtime=0), (TEXT, BROWSER)),
    Row("base64", "/flags/?v=2&compression=base64", BASE64, (TEXT, BROWSER)),
    Row("a form", "/flags/?v=2", b"data=" + BASE64.replace(b"=", b"%3D"), (FORM, BROWSER)),
    Row("JSON5", body=b"{token: '" + TOKEN.encode() + b"', distinct_id: 'ada',} // x"),
    Row("a key twice", body=BODY[:-1] + b', "person_properties": {"a": 1, "a": 2}}'),
]

ERRORS_OF_CALLERS = [
    Row("nothing", body=b"", is_read=False),
    Row("not JSON", body=b"nonsense!", is_read=False),
    Row("a list", body=b"[]", is_read=False),
    Row("cut off", body=BODY[:-3], is_read=False),
    Row("content type", headers=(("Content-Type", "application/xml"), SERVER), is_read=False),
    Row("compression", "/flags/?v=2&compression=lz64", is_read=False),
    Row("gzip promised", "/flags/?v=2&compression=gzip", is_read=False),
    Row("gzip broken", body=gzip.compress(BODY)[:-5], is_read=False),
    Row("a form of nonsense", body=b"data=nonsense!", headers=(FORM, BROWSER), is_read=False),
    Row("no identity", body=json.dumps({"token": TOKEN}).encode()),
    row("a wrong type", fields={"person_properties": 5}),
    Row("a bad time in the query", "/flags/?v=2&_=abc"),
    Row("no token", body=b'{"distinct_id": "ada"}'),
    Row("an empty token", body=b'{"token": "", "distinct_id": "ada"}'),
    Row("an unknown token", body=b'{"token": "phc_nobody", "distinct_id": "ada"}'),
    Row("too large", body=b" " * (2 * 1024 * 1024 + 1)),
    Row("a bomb", body=gzip.compress(b" " * (4 * 1024 * 1024 + 1))),
]
ROWS = [*SHAPES, *BODIES, *ERRORS_OF_CALLERS]


def direct(row: Row) -> tuple[tuple[str, str], ...]:
    """Return the lines with which the service itself gives what an ingress makes of this request (contract §1.4)."""
    lines = tuple(line for line in row.headers if line[0] != "X-Original-Endpoint")
    return (*lines, ("X-Original-Endpoint", "decide")) if row.target.startswith("/decide") else lines


@pytest.mark.parametrize("is_listed", [False, True], ids=["any token", "allow-list"])
async def test_every_row_is_the_services_own_answer(is_listed: bool) -> None:
    projects = {"all": Project(tokens=(TOKEN, "phc_empty", "phc_over"))} if is_listed else {}
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port, projects=projects)
        different = []
        for row in ROWS:
            wanted = await send(service.port, row.body, target=row.target, method=row.method, headers=direct(row))
            found = await send(proxy.port, row.body, target=row.target, method=row.method, headers=row.headers)
            if is_listed and not row.is_read:
                assert found.status == 401, row.name
            elif found.essence != wanted.essence:
                different.append((row.name, wanted.essence, found.essence))
        assert different == []


async def test_every_answer_of_the_flag_endpoints_tells_its_story() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port)
        for row in ROWS:
            found = await send(proxy.port, row.body, target=row.target, method=row.method, headers=row.headers)
            assert found.cache.startswith("holdfast; "), row.name
            assert "Origin" in found.headers["Vary"], row.name


def failing(exchange: Exchange) -> Exchange:
    """Answer with the service's error that a request header names."""

    async def answer(request: web.Request) -> web.StreamResponse:
        name = request.headers.get("X-Fault")
        if name is None:
            return await exchange(request)
        error = ERRORS[Refusal(name)]
        return web.Response(status=error.status, body=error.body, headers={"Content-Type": error.content_type})

    return answer


@pytest.mark.parametrize("refusal", list(Refusal))
async def test_every_error_of_the_service_reaches_its_caller_as_it_is(refusal: Refusal) -> None:
    async with House() as house:
        service = await house.service(around=failing)
        proxy = await house.proxy(service.port)
        found = await send(proxy.port, BODY, headers=(JSON, ("X-Fault", refusal.value)))
        error = ERRORS[refusal]
        if error.status == 504:
            assert found.status == 503
            assert found.headers["Retry-After"] == "1"
            assert found.json()["code"] == "service_unavailable"
        else:
            assert found.essence == (error.status, error.content_type, error.body)


async def test_a_fresh_copy_is_the_services_own_bytes_too() -> None:
    async with House() as house:
        service = await house.service()
        proxy = await house.proxy(service.port, policy=Policy(fresh_s=60))
        for row in SHAPES + BODIES:
            first = await send(proxy.port, row.body, target=row.target, method=row.method, headers=row.headers)
            again = await send(proxy.port, row.body, target=row.target, method=row.method, headers=row.headers)
            assert again.essence == first.essence, row.name
