"""Error answers of the flag service: status, content type and body per condition (contract §3.9), as one table.

A JSON body is PostHog's envelope; a text body is plain, and clients must not depend on the wording: we keep its known start.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"


class Refusal(StrEnum):
    """Why the service refuses to answer."""

    BODY_TRANSFER = "body_transfer"
    DECODE_CONTENT_TYPE = "decode_content_type"
    DECODE_COMPRESSION = "decode_compression"
    DECODE_GZIP = "decode_gzip"
    DECODE_FORM = "decode_form"
    INVALID_JSON = "invalid_json"
    INVALID_FORM_JSON = "invalid_form_json"
    NO_DISTINCT_ID = "no_distinct_id"
    BAD_QUERY = "bad_query"
    BODY_TOO_LARGE = "body_too_large"
    INFLATED_TOO_LARGE = "inflated_too_large"
    NO_TOKEN = "no_token"  # noqa: S105 - a condition's name
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - a condition's name
    NO_CREDENTIALS = "no_credentials"
    BAD_PERSONAL_KEY = "bad_personal_key"
    BAD_SECRET_KEY = "bad_secret_key"  # noqa: S105 - a condition's name
    MISSING_SCOPE = "missing_scope"
    OVER_QUOTA = "over_quota"
    RATE_LIMITED = "rate_limited"
    DATABASE_UNAVAILABLE = "database_unavailable"
    TIMED_OUT = "timed_out"
    DEPENDENCY_UNAVAILABLE = "dependency_unavailable"
    CORRUPT_DATA = "corrupt_data"
    UNEXPECTED = "unexpected"
    POOL_BUSY = "pool_busy"
    DECRYPT_FAILED = "decrypt_failed"


class ErrorAnswer(msgspec.Struct, frozen=True):
    """One refusal on the wire."""

    status: int
    content_type: str
    body: bytes


class ErrorBody(msgspec.Struct):
    """PostHog's JSON error envelope."""

    type: str
    code: str
    detail: str
    attr: None = None


def json_error(status: int, kind: str, code: str, detail: str) -> ErrorAnswer:
    """Make an error answer with the JSON envelope."""
    return ErrorAnswer(status, JSON, msgspec.json.encode(ErrorBody(kind, code, detail)))


def text_error(status: int, text: str) -> ErrorAnswer:
    """Make an error answer with a plain text body."""
    return ErrorAnswer(status, TEXT, text.encode())


def _auth(code: str, detail: str, status: int = 401) -> ErrorAnswer:
    return json_error(status, "authentication_error", code, detail)


def _undecodable(why: str) -> ErrorAnswer:
    return text_error(400, f"Failed to decode request: {why}. Please check your request format and try again.")


ERRORS: Final[Mapping[Refusal, ErrorAnswer]] = {
    Refusal.BODY_TRANSFER: text_error(400, "Failed to buffer the request body"),
    Refusal.DECODE_CONTENT_TYPE: _undecodable("unsupported content type"),
    Refusal.DECODE_COMPRESSION: _undecodable("unsupported compression"),
    Refusal.DECODE_GZIP: _undecodable("gzip decompression failed"),
    Refusal.DECODE_FORM: _undecodable("invalid form data"),
    Refusal.INVALID_JSON: _undecodable("invalid JSON"),
    Refusal.INVALID_FORM_JSON: _undecodable("invalid JSON structure"),
    Refusal.NO_DISTINCT_ID: text_error(
        400, "The distinct_id field is missing from the request. Please include a valid identifier."
    ),
    Refusal.BAD_QUERY: text_error(400, "Failed to deserialize query string"),
    Refusal.BODY_TOO_LARGE: text_error(413, "Failed to buffer the request body"),
    Refusal.INFLATED_TOO_LARGE: text_error(413, "Decompressed request body exceeded the size limit"),
    Refusal.NO_TOKEN: _auth("not_authenticated", "No API token provided. Please include a valid API token in your request."),
    Refusal.UNKNOWN_TOKEN: _auth(
        "authentication_failed", "The provided API key is invalid or has expired. Please check your API key and try again."
    ),
    Refusal.NO_CREDENTIALS: _auth("not_authenticated", "Authentication credentials were not provided."),
    Refusal.BAD_PERSONAL_KEY: _auth("authentication_failed", "Personal API key is invalid."),
    Refusal.BAD_SECRET_KEY: _auth("authentication_failed", "Secret API token is invalid."),
    Refusal.MISSING_SCOPE: _auth("permission_denied", "API key missing required scope 'feature_flag:read'", 403),
    Refusal.OVER_QUOTA: json_error(
        402, "quota_limited", "payment_required", "You have exceeded your feature flag request quota"
    ),
    Refusal.RATE_LIMITED: json_error(429, "validation_error", "rate_limit_exceeded", "Rate limit exceeded"),
    Refusal.DATABASE_UNAVAILABLE: text_error(503, "The database is temporarily unavailable. Please try again later."),
    Refusal.TIMED_OUT: text_error(503, "The request timed out. Please try again later."),
    Refusal.DEPENDENCY_UNAVAILABLE: text_error(503, "A dependency is temporarily unavailable. Please try again later."),
    Refusal.CORRUPT_DATA: text_error(500, "Failed to read stored flag data. Please try again later."),
    Refusal.UNEXPECTED: text_error(500, "An internal error occurred. Please try again later."),
    Refusal.POOL_BUSY: text_error(504, "Evaluation pool busy. Please try again later."),
    Refusal.DECRYPT_FAILED: json_error(500, "server_error", "remote_config_decrypt_failed", "Failed to decrypt the payload"),
}


def error_answer(refusal: Refusal, *, detail: str | None = None) -> ErrorAnswer:
    """Give the answer to a refusal.

    Args:
        refusal: The condition.
        detail: For texts only: added after a colon (a query string error names the parameter). Never caller's data.
    """
    answer = ERRORS[refusal]
    return answer if detail is None else ErrorAnswer(answer.status, answer.content_type, answer.body + f": {detail}".encode())
