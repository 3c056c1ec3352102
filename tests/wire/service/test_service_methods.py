"""Methods, paths, CORS and the small endpoints: contract §1.1 to §1.4."""

from __future__ import annotations

import json

import pytest

ASK = {"token": "phc_test", "distinct_id": "ada"}
PATHS = ["/flags", "/flags/", "/decide", "/decide/"]
MINI = {
    "supportedCompression": ["gzip", "gzip-js"],
    "config": {"enable_collect_everything": True},
    "toolbarParams": {},
    "isAuthenticated": False,
    "sessionRecording": False,
}


@pytest.mark.parametrize("path", PATHS)
async def test_every_slash_form_evaluates_a_post(wire, path):
    answer = await wire.post(f"{path}?v=2", ASK)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.keys == {"on", "staff", "survey-targeting-nps"}


@pytest.mark.parametrize("path", PATHS)
async def test_get_answers_the_mini_config_without_a_token(wire, path):
    answer = await wire.call("GET", path)
    assert answer.json == {
        "errorsWhileComputingFlags": False, "featureFlags": {}, "featureFlagPayloads": {},
        "requestId": "00000000-0000-4000-8000-00000000000a", "evaluatedAt": 1740830400000, **MINI,
    }  # fmt: skip


async def test_get_with_version_two_has_the_v2_shape(wire):
    answer = await wire.call("GET", "/flags?v=2")
    assert answer.json["flags"] == {}
    assert "featureFlags" not in answer.json


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_json_without_a_body(wire, path):
    answer = await wire.call("HEAD", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("path", [*PATHS, "/flags/definitions", "/nowhere"])
async def test_cors_layer_answers_every_options_itself(wire, path):
    answer = await wire.call(
        "OPTIONS",
        path,
        Origin="https://app.test",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="x-a, x-b",
    )
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.test"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-a, x-b"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert set(answer.headers["Access-Control-Allow-Methods"].split(",")) == {"GET", "POST", "OPTIONS", "HEAD"}


@pytest.mark.parametrize("target", ["/flags?v=2", "/nowhere", "/flags/definitions?token=phc_test", "/"])
async def test_every_answer_mirrors_the_origin_and_exposes_the_warning_header(wire, target):
    answer = await wire.call("GET", target, Origin="https://app.test")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.test"
    assert answer.headers["Access-Control-Expose-Headers"] == "x-posthog-rate-limit-warning"
    assert "origin" in answer.headers["Vary"]


async def test_without_an_origin_none_is_allowed(wire):
    answer = await wire.call("GET", "/flags")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_other_methods_are_not_allowed(wire, method):
    answer = await wire.call(method, "/flags")
    assert (answer.status, answer.body, answer.headers["allow"]) == (405, b"", "GET, POST, OPTIONS, HEAD")


async def test_decide_is_decided_by_the_header_and_not_by_the_path(wire):
    by_path = await wire.post("/decide?v=1", ASK)
    by_header = await wire.post("/flags?v=1", ASK, X_Original_Endpoint="decide")
    assert by_path.json["featureFlags"]["on"] is True
    assert set(by_header.json["featureFlags"]) == {"on", "staff", "survey-targeting-nps"}
    assert isinstance(by_header.json["featureFlags"], list)


async def test_decide_header_has_to_be_exact(wire):
    answer = await wire.post("/decide?v=1", ASK, X_Original_Endpoint="Decide")
    assert isinstance(answer.json["featureFlags"], dict)


@pytest.mark.parametrize(
    ("path", "text"), [("/", b"feature flags"), ("/_readiness", b"ready"), ("/_startup", b"started"), ("/_liveness/", b"ok")]
)
async def test_probes_answer_their_word(wire, path, text):
    answer = await wire.call("GET", path)
    assert (answer.status, answer.body) == (200, text)


@pytest.mark.parametrize("path", ["/nowhere", "/flags/more", "/metrics", "/flagsx", "/_test/events"])
async def test_unknown_paths_are_an_empty_404(wire, path):
    answer = await wire.call("GET", path)
    assert (answer.status, answer.body) == (404, b"")


async def test_request_id_of_the_caller_is_kept_when_it_is_a_uuid(wire):
    given = "0190a6c0-7f4b-7cc3-8ec3-0123456789ab"
    kept = await wire.post("/flags?v=2", ASK, X_REQUEST_ID=given)
    fresh = await wire.post("/flags?v=2", ASK, X_REQUEST_ID="not-a-uuid")
    assert kept.json["requestId"] == given
    assert fresh.json["requestId"] == "00000000-0000-4000-8000-00000000000a"


async def test_connection_stays_open_between_requests(wire):
    import asyncio

    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    for _ in range(2):
        writer.write(b"GET /_readiness HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert await reader.readexactly(5) == b"ready"
    writer.close()


async def test_browser_config_is_served_as_json_and_as_script(wire):
    config = await wire.call("GET", "/array/phc_test/config?ip=0")
    script = await wire.call("GET", "/array/phc_test/config.js")
    assert config.json["siteApps"] == [{"id": 7}]
    assert script.headers["Content-Type"] == "application/javascript"
    assert b'window._POSTHOG_REMOTE_CONFIG["phc_test"] = { config: {' in script.body
    assert (await wire.call("GET", "/array/phc_unknown/config")).status == 404


async def test_assets_surveys_and_early_access_exist(wire):
    assert (await wire.call("GET", "/static/recorder.js?v=1")).headers["Content-Type"] == "application/javascript"
    assert (await wire.call("GET", "/api/surveys/?token=phc_test")).json == {"surveys": []}
    assert (await wire.call("GET", "/api/early_access_features/?token=phc_test")).json == {"earlyAccessFeatures": []}
    assert (await wire.call("GET", "/api/surveys/?token=phc_nobody")).status == 401


async def test_whatever_wraps_the_exchange_sees_every_request_and_may_answer_itself(start):
    from aiohttp import web

    seen = []

    def around(exchange):
        async def wrapped(request):
            seen.append(request.path)
            return web.Response(status=503) if request.path == "/flags" else await exchange(request)

        return wrapped

    wire = await start(around=around)
    assert (await wire.post("/flags", ASK)).status == 503
    assert (await wire.call("GET", "/_readiness")).status == 200
    assert seen == ["/flags", "/_readiness"]


async def test_test_face_shows_calls_and_events_and_forgets_them(start):
    wire = await start(has_test_face=True)
    await wire.post("/batch/", {"api_key": "phc_test", "batch": [{"event": "bought"}, {"event": "left"}]})
    await wire.post(
        "/e/?compression=base64", b"data=eyJldmVudCI6InNlZW4ifQ==", Content_Type="application/x-www-form-urlencoded"
    )
    await wire.post("/i/v0/e/", b"\x00unreadable")
    events = (await wire.call("GET", "/_test/events")).json
    assert events == [
        {"path": "/batch", "events": [{"event": "bought"}, {"event": "left"}]},
        {"path": "/e", "events": [{"event": "seen"}]},
        {"path": "/i/v0/e", "events": None},
    ]
    calls = (await wire.call("GET", "/_test/calls")).json
    assert [call["target"] for call in calls] == ["/batch/", "/e/?compression=base64", "/i/v0/e/"]
    assert json.loads(json.dumps(calls[0]["headers"]))[0] == ["Host", "flags.test"]
    assert (await wire.call("DELETE", "/_test/events")).json == []


@pytest.mark.parametrize("path", ["/batch/", "/e/", "/i/v0/e/", "/capture/", "/track/", "/engage/", "/s/"])
async def test_every_ingestion_path_accepts(wire, path):
    answer = await wire.post(path, {"event": "x"})
    assert (answer.status, answer.json) == (200, {"status": "Ok"})
