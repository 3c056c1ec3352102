"""Request bodies, row by row of contract §2: how they are decoded, what they may hold, what each defect answers."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote

import pytest

ASK = {"token": "phc_test", "distinct_id": "ada"}
RAW = json.dumps(ASK).encode()
B64 = base64.b64encode(RAW)
FORM = "application/x-www-form-urlencoded"
DECODE = b"Failed to decode request:"
STRUCTURE = DECODE + b" invalid JSON structure"

ACCEPTED: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("plain JSON", "", RAW, {}),
    ("JSON with a charset", "", RAW, {"Content_Type": "application/json; charset=utf-8"}),
    ("text/plain", "", RAW, {"Content_Type": "text/plain"}),
    ("gzip by parameter", "&compression=gzip", gzip.compress(RAW), {"Content_Type": "text/plain"}),
    ("gzip-js by parameter, any case", "&compression=GZIP-JS", gzip.compress(RAW), {"Content_Type": "text/plain"}),
    ("gzip by header", "", gzip.compress(RAW), {"Content_Encoding": "gzip"}),
    ("gzip by magic bytes only", "", gzip.compress(RAW), {"Content_Type": "text/plain"}),
    ("gzip with bytes after it", "", gzip.compress(RAW) + b"tail", {}),
    ("base64 without being told", "", B64, {}),
    ("base64 with spaces", "", B64[:8] + b" " + B64[8:], {}),
    ("base64 without padding", "&compression=base64", B64.rstrip(b"="), {}),
    ("base64, percent-encoded", "", quote(B64, safe="").encode(), {}),
    ("gzip of base64", "", gzip.compress(B64), {}),
    ("empty compression parameter", "&compression=", RAW, {}),
    ("form with data", "", b"data=" + quote(B64, safe="").encode(), {"Content_Type": FORM}),
    (
        "form with unescaped padding and more fields",
        "",
        b"data=" + B64.rstrip(b"=") + b"=&compression=base64",
        {"Content_Type": FORM},
    ),
    ("form of nothing but base64", "", B64, {"Content_Type": FORM}),
    ("JSON5: comments, quotes, trailing comma", "", b"{token:'phc_test',/*x*/distinct_id:'ada',}", {}),
    ("JSON5: non-finite numbers", "", b'{"token":"phc_test","distinct_id":"ada","x":NaN,"y":[-Infinity]}', {}),
    ("invalid UTF-8 is replaced", "", b'{"token":"phc_test","distinct_id":"ada","x":"\xff"}', {}),
    ("unknown fields", "", json.dumps({**ASK, "sent_at": "now", "unknown": [1]}).encode(), {}),
]

REFUSED: list[tuple[str, str, bytes, dict[str, str], int, bytes]] = [
    ("other media type", "", RAW, {"Content_Type": "application/xml"}, 400, DECODE),
    ("unsupported compression", "&compression=lz64", RAW, {}, 400, DECODE),
    ("said gzip and is not", "&compression=gzip", RAW, {}, 400, DECODE),
    ("gzip cut short", "", gzip.compress(RAW)[:-9], {}, 400, DECODE),
    ("deflate is parsed as it is", "", zlib.compress(RAW), {"Content_Encoding": "deflate"}, 400, DECODE),
    ("not JSON", "", b"{nope", {}, 400, b"Failed to decode request: invalid JSON"),
    ("empty body", "", b"", {"Content_Length": "0"}, 400, DECODE),
    ("a list", "", b"[]", {}, 400, b"Failed to decode request: invalid JSON"),
    ("nested too deep", "", b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", {}, 400, DECODE),
    ("gzip in a form", "&compression=gzip", gzip.compress(RAW), {"Content_Type": FORM}, 400, DECODE),
    ("form that is no base64", "", b"data=%%%", {"Content_Type": FORM}, 400, DECODE),
    ("form that is not UTF-8", "", b"\xff\xfe", {"Content_Type": FORM}, 400, DECODE),
    ("form with bad JSON inside", "", base64.b64encode(b"{a:1}"), {"Content_Type": FORM}, 400, STRUCTURE),
    ("gunzipped beyond the limit", "", gzip.compress(b"a" * ((4 << 20) + 1)), {}, 413, b"Decompressed request body"),
    ("raw beyond the limit", "", b"a" * (2 * 1024 * 1024 + 1), {}, 413, b"Failed to buffer the request body"),
]  # fmt: skip

FIELD_ROWS: list[tuple[dict[str, Any], int]] = [
    ({"api_key": "phc_test", "distinct_id": "ada"}, 200),
    ({"$token": "phc_test", "$distinct_id": "ada"}, 200),
    ({"token": "phc_test", "api_key": "phc_test", "distinct_id": "ada"}, 400),
    ({**ASK, "$distinct_id": "ada"}, 400),
    ({**ASK, "groups": {}, "$groups": {}}, 400),
    ({**ASK, "distinct_id": 17}, 200),
    ({**ASK, "distinct_id": 1.5}, 200),
    ({**ASK, "distinct_id": ""}, 200),
    ({**ASK, "distinct_id": True}, 400),
    ({**ASK, "distinct_id": {}}, 400),
    ({**ASK, "token": 5}, 400),
    ({**ASK, "person_properties": []}, 400),
    ({**ASK, "person_properties": None}, 200),
    ({**ASK, "groups": "x"}, 400),
    ({**ASK, "groups": {"organization": ["odd"]}}, 200),
    ({**ASK, "group_properties": {"organization": 3}}, 400),
    ({**ASK, "flag_keys": "on"}, 400),
    ({**ASK, "flag_keys": [1]}, 400),
    ({**ASK, "flag_keys": None}, 200),
    ({**ASK, "disable_flags": "true"}, 400),
    ({**ASK, "geoip_disable": 1}, 400),
    ({**ASK, "device_id": None}, 200),
    ({**ASK, "$device_id": 5}, 400),
    ({**ASK, "$anon_distinct_id": "anon"}, 200),
    ({**ASK, "evaluation_contexts": "web"}, 400),
    ({**ASK, "evaluation_environments": ["web"]}, 200),
    ({**ASK, "evaluation_runtime": 1}, 400),
    ({**ASK, "timezone": 1}, 400),
    ({**ASK, "override_flags_definitions": []}, 400),
]


@pytest.mark.parametrize(("query", "body", "headers"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_body_is_understood(wire, query, body, headers):
    answer = await wire.post(f"/flags/?v=2{query}", body, **headers)
    assert (answer.status, answer.keys) == (200, {"on", "staff", "survey-targeting-nps"})
    assert answer.json["flags"]["staff"]["enabled"] is True


@pytest.mark.parametrize(
    ("query", "body", "headers", "status", "opening"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_body_is_refused(wire, query, body, headers, status, opening):
    answer = await wire.post(f"/flags?v=2{query}", body, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert answer.body.startswith(opening)


@pytest.mark.parametrize(("body", "status"), FIELD_ROWS, ids=[json.dumps(row[0])[22:60] for row in FIELD_ROWS])
async def test_field_types_and_aliases_are_strict(wire, body, status):
    answer = await wire.post("/flags?v=2", body)
    assert answer.status == status
    assert status == 200 or answer.body.startswith(b"Failed to decode request: invalid JSON")


async def test_body_that_breaks_off_is_a_400_or_a_closed_connection(wire):
    answer = await wire.send(b'POST /flags HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"tok\r\nzz\r\n')
    assert answer.status == 400


@pytest.mark.parametrize(
    ("target", "status", "opening"),
    [
        ("/flags?_=abc", 400, b"Failed to deserialize query string"),
        ("/flags?_=1.5", 400, b"Failed to deserialize query string"),
        ("/flags?_=9223372036854775808", 400, b"Failed to deserialize query string"),
        ("/flags?v=2&version=2", 400, b"Failed to deserialize query string"),
        ("/flags?v=2&v=3", 400, b"Failed to deserialize query string"),
        ("/flags?_=&v=2", 200, b"{"),
        ("/flags?_=-17&v=2&ver=1.2&lib=web&ip=1&unknown=&unknown=", 200, b"{"),
    ],
)
async def test_query_string_is_read_as_the_framework_reads_it(wire, target, status, opening):
    answer = await wire.post(target, ASK)
    assert answer.status == status
    assert answer.body.startswith(opening)


async def test_token_in_the_query_authenticates_nobody(wire):
    answer = await wire.post("/flags?v=2&token=phc_test", {"distinct_id": "ada"})
    assert (answer.status, answer.json["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"distinct_id": "ada"}, 401, "not_authenticated"),
        ({"token": "", "distinct_id": "ada"}, 401, "not_authenticated"),
        ({"token": None, "distinct_id": "ada"}, 401, "not_authenticated"),
        ({"token": "phc_wrong", "distinct_id": "ada"}, 401, "authentication_failed"),
        ({"token": "phc_wrong"}, 401, "authentication_failed"),
    ],
)
async def test_tokens_are_asked_for_before_identities(wire, body, status, code):
    answer = await wire.post("/flags", body)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert (answer.json["type"], answer.json["code"], answer.json["attr"]) == ("authentication_error", code, None)


@pytest.mark.parametrize("body", [{"token": "phc_test"}, {"token": "phc_test", "distinct_id": None}])
async def test_missing_distinct_id_is_a_text_400(wire, body):
    answer = await wire.post("/flags?v=2", body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"The distinct_id field is missing")


async def test_disabled_flags_need_no_distinct_id(wire):
    answer = await wire.post("/flags?v=2", {"token": "phc_test", "disable_flags": True})
    assert (answer.status, answer.json["flags"]) == (200, {})
    assert "quotaLimited" not in answer.json
