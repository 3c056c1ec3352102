"""The definitions endpoint and remote config: contract §4 and §3.9, who may read, what is compared, what is sent."""

from __future__ import annotations

import pytest

PATHS = [
    "/flags/definitions",
    "/flags/definitions/",
    "/api/feature_flag/local_evaluation",
    "/api/feature_flag/local_evaluation/",
]
TARGET = "/flags/definitions?token=phc_test&send_cohorts"
REMOTE = "/api/projects/@current/feature_flags/secret-config/remote_config"

KEYS = [
    # what is sent; status; error code; how its detail starts
    (None, 401, "not_authenticated", "Authentication credentials were not provided."),
    ("", 401, "not_authenticated", "Authentication credentials were not provided."),
    ("Basic phx_all", 401, "not_authenticated", "Authentication credentials were not provided."),
    ("Bearer ", 401, "not_authenticated", "Authentication credentials were not provided."),
    ("Bearer phx_unknown", 401, "authentication_failed", "Personal API key is invalid."),
    ("Bearer phx_gone", 401, "authentication_failed", "Personal API key is invalid."),
    ("Bearer phs_unknown", 401, "authentication_failed", "Secret API token is invalid."),
    ("Bearer phs_other", 401, "authentication_failed", "Secret API token is invalid."),
    ("Bearer phx_insight", 403, "permission_denied", ""),
    ("Bearer phx_other", 403, "permission_denied", ""),
    ("Bearer phx_all", 200, None, None),
    ("Bearer phx_star", 200, None, None),
    ("Bearer phx_read", 200, None, None),
    ("Bearer phx_write", 200, None, None),
    ("Bearer phs_main", 200, None, None),
    ("bearer phs_backup", 200, None, None),
]


@pytest.mark.parametrize(("authorization", "status", "code", "detail"), KEYS)
@pytest.mark.parametrize("target", [TARGET, f"{REMOTE}?token=phc_test"])
async def test_keys_open_what_they_may(wire, target, authorization, status, code, detail):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await wire.call("GET", target, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    if status != 200:
        assert (answer.json["type"], answer.json["code"], answer.json["attr"]) == ("authentication_error", code, None)
        assert answer.json["detail"].startswith(detail)


@pytest.mark.parametrize("path", PATHS)
async def test_both_paths_serve_the_same_document(wire, path):
    answer = await wire.call("GET", f"{path}?token=phc_test", Authorization="Bearer phx_all")
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, must-revalidate")
    assert answer.headers["etag"].startswith('W/"')
    assert list(answer.json)[:3] == ["flags", "group_type_mapping", "cohorts"]
    assert answer.json["group_type_mapping"] == {"0": "organization"}
    assert "service" not in answer.json


async def test_flags_are_ordered_by_key_without_encrypted_and_survey_ones(wire):
    answer = await wire.call("GET", TARGET, Authorization="Bearer phx_all")
    assert [flag["key"] for flag in answer.json["flags"]] == ["client-side", "on", "server-side", "staff"]


@pytest.mark.parametrize("path", PATHS)
async def test_token_is_asked_for_before_the_method_is_looked_at(wire, path):
    for method in ("GET", "HEAD", "PUT"):
        answer = await wire.call(method, path, Authorization="Bearer phx_all")
        assert answer.status == 400
    assert answer.body.startswith(b"Failed to deserialize query string")


@pytest.mark.parametrize("path", PATHS)
async def test_methods_other_than_get_and_head_are_not_allowed(wire, path):
    head = await wire.call("HEAD", f"{path}?token=phc_test")
    assert (head.status, head.headers["Content-Type"]) == (200, "application/json")
    for method in ("POST", "PUT", "DELETE"):
        answer = await wire.call(method, f"{path}?token=phc_test")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, OPTIONS, HEAD")


@pytest.mark.parametrize("token", ["phc_unknown", ""])
async def test_unknown_token_is_refused_before_the_key_is_looked_at(wire, token):
    answer = await wire.call("GET", f"/flags/definitions?token={token}", Authorization="Bearer phx_all")
    assert (answer.status, answer.json["code"]) == (401, "authentication_failed")
    assert answer.json["detail"].startswith("The provided API key is invalid or has expired.")


async def test_token_may_stand_in_the_header_that_the_rust_sdk_sends(wire):
    answer = await wire.call(
        "GET", "/flags/definitions/?send_cohorts", Authorization="Bearer phx_all", X_PostHog_Project_Api_Key="phc_test"
    )
    assert answer.status == 200


async def test_over_quota_is_a_402_even_when_nothing_changed(wire):
    etag = (await wire.call("GET", TARGET, Authorization="Bearer phx_all")).headers["etag"]
    wire.change(over_quota=["feature_flags"])
    answer = await wire.call("GET", TARGET, Authorization="Bearer phx_all", If_None_Match=etag)
    assert (answer.status, answer.json["type"], answer.json["code"]) == (402, "quota_limited", "payment_required")


@pytest.mark.parametrize("form", ['W/"{}"', '"{}"', "{}", ' W/"{}" '])
async def test_matching_etag_is_a_304_with_the_same_headers_and_no_body(wire, form):
    first = await wire.call("GET", TARGET, Authorization="Bearer phx_all")
    raw = first.headers["etag"].removeprefix('W/"').removesuffix('"')
    assert len(raw) == 16
    again = await wire.call("GET", TARGET, Authorization="Bearer phx_all", If_None_Match=form.format(raw))
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("form", ["*", 'W/"0000000000000000"', 'W/"{}", W/"x"', 'w/"{}"'])
async def test_other_etags_lists_and_stars_get_the_body(wire, form):
    first = await wire.call("GET", TARGET, Authorization="Bearer phx_all")
    raw = first.headers["etag"][3:-1]
    assert (await wire.call("GET", TARGET, Authorization="Bearer phx_all", If_None_Match=form.format(raw))).status == 200


async def test_etag_changes_with_the_document_and_only_then(wire):
    from reference.service.app import WORLD
    from reference.service.project.project import load_catalogue

    async def etag() -> str:
        return (await wire.call("GET", TARGET, Authorization="Bearer phx_all")).headers["etag"]

    first = await etag()
    wire.change(timezone="Europe/Paris")
    assert await etag() == first
    wire.app[WORLD].catalogue = load_catalogue(b'{"flags":[],"service":{"tokens":["phc_test"],"personal_keys":{"phx_all":{}}}}')
    assert await etag() != first


async def test_remote_config_answers_the_stored_payload(wire):
    answer = await wire.call("GET", f"{REMOTE}?token=phc_test", Authorization="Bearer phx_all")
    assert answer.json == '{"a": 1}'
    by_key_alone = await wire.call("GET", f"{REMOTE}/", Authorization="Bearer phs_main")
    assert by_key_alone.json == '{"a": 1}'


async def test_remote_config_of_an_unknown_flag_is_a_404_and_of_a_payloadless_one_null(wire):
    gone = await wire.call("GET", REMOTE.replace("secret-config", "nope"), Authorization="Bearer phx_all")
    assert (gone.status, gone.json["code"]) == (404, "not_found")
    bare = await wire.call("GET", REMOTE.replace("secret-config", "staff"), Authorization="Bearer phx_all")
    assert (bare.status, bare.json) == (200, None)
