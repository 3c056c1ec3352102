"""The table of error answers: statuses and codes of contract §3.9."""

from __future__ import annotations

import json

import pytest

from reference.response import ERRORS, Refusal, error_answer

JSON_ROWS = [
    (Refusal.NO_TOKEN, 401, "authentication_error", "not_authenticated"),
    (Refusal.UNKNOWN_TOKEN, 401, "authentication_error", "authentication_failed"),
    (Refusal.NO_CREDENTIALS, 401, "authentication_error", "not_authenticated"),
    (Refusal.BAD_PERSONAL_KEY, 401, "authentication_error", "authentication_failed"),
    (Refusal.BAD_SECRET_KEY, 401, "authentication_error", "authentication_failed"),
    (Refusal.MISSING_SCOPE, 403, "authentication_error", "permission_denied"),
    (Refusal.OVER_QUOTA, 402, "quota_limited", "payment_required"),
    (Refusal.RATE_LIMITED, 429, "validation_error", "rate_limit_exceeded"),
    (Refusal.DECRYPT_FAILED, 500, "server_error", "remote_config_decrypt_failed"),
]
TEXT_ROWS = [
    (Refusal.BODY_TRANSFER, 400, "Failed to buffer the request body"),
    (Refusal.BODY_TOO_LARGE, 413, "Failed to buffer the request body"),
    (Refusal.INFLATED_TOO_LARGE, 413, "Decompressed request body exceeded"),
    (Refusal.INVALID_JSON, 400, "Failed to decode request: invalid JSON"),
    (Refusal.INVALID_FORM_JSON, 400, "Failed to decode request: invalid JSON structure"),
    (Refusal.DECODE_CONTENT_TYPE, 400, "Failed to decode request:"),
    (Refusal.DECODE_COMPRESSION, 400, "Failed to decode request:"),
    (Refusal.DECODE_GZIP, 400, "Failed to decode request:"),
    (Refusal.DECODE_FORM, 400, "Failed to decode request:"),
    (Refusal.NO_DISTINCT_ID, 400, "The distinct_id field is missing"),
    (Refusal.BAD_QUERY, 400, "Failed to deserialize query string"),
    (Refusal.DATABASE_UNAVAILABLE, 503, "The database"),
    (Refusal.TIMED_OUT, 503, "The request timed out"),
    (Refusal.DEPENDENCY_UNAVAILABLE, 503, "A dependency"),
    (Refusal.CORRUPT_DATA, 500, "Failed to read"),
    (Refusal.UNEXPECTED, 500, "An internal error"),
    (Refusal.POOL_BUSY, 504, "Evaluation pool busy"),
]


@pytest.mark.parametrize(("refusal", "status", "kind", "code"), JSON_ROWS)
def test_json_errors_carry_the_envelope(refusal, status, kind, code):
    answer = ERRORS[refusal]
    body = json.loads(answer.body)
    assert (answer.status, answer.content_type, body["type"], body["code"]) == (status, "application/json", kind, code)
    assert list(body) == ["type", "code", "detail", "attr"]
    assert body["attr"] is None


@pytest.mark.parametrize(("refusal", "status", "start"), TEXT_ROWS)
def test_text_errors_start_as_the_service_says(refusal, status, start):
    answer = ERRORS[refusal]
    assert (answer.status, answer.content_type) == (status, "text/plain; charset=utf-8")
    assert answer.body.decode().startswith(start)


def test_every_refusal_is_in_one_of_the_two_tables():
    assert {row[0] for row in (*JSON_ROWS, *TEXT_ROWS)} == set(Refusal) == set(ERRORS)


def test_detail_is_added_after_a_colon():
    assert error_answer(Refusal.BAD_QUERY, detail="missing field `token`").body.endswith(b"query string: missing field `token`")
