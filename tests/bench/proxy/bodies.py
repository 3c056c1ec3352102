"""What goes over the wire: one answer of 20 flags in 5.3 KB, and the requests of 1 000 distinct users, about 300 B each.

The answer is a plain v2 answer as the flag service gives it; the requests are posthog-python's, which put the time of day
(`sent_at`) into every body, so that no two are the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

from tests.bench.reference.documents import KINDS, document

USERS = 1_000
FLAGS = 20
ANSWER_BYTES = 5_300
TOKEN = "phc_bench_project_token"
SENT_AT = b"123456"
"""The microseconds of `sent_at`, the part that changes."""
UNSENT = (7, 8)
"""Places of the group flag and the dated one among the kinds."""
VARIANTS = ("control", "test-a", "test-b")


def answer() -> bytes:
    """Return a v2 answer with 20 flags, padded to 5.3 KB by a payload."""
    short = _answer(padding=0)
    return _answer(padding=ANSWER_BYTES - len(short))


def _answer(*, padding: int) -> bytes:
    document = {
        "errorsWhileComputingFlags": False,
        "flags": {f"flag-{number:02}": _record(number, "x" * padding if number == 0 else "") for number in range(FLAGS)},
        "requestId": "0193d3c2-58d4-7f6e-9f3a-2f4a36f1b2c5",
        "evaluatedAt": 1_764_000_000_000,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _record(number: int, padding: str) -> dict[str, object]:
    variant = VARIANTS[number % 3] if number % 4 == 0 else None
    return {
        "key": f"flag-{number:02}",
        "enabled": number % 3 != 1 or variant is not None,
        "variant": variant,
        "reason": {"code": "condition_match", "condition_index": 0, "description": "Matched condition set 1"},
        "metadata": {
            "id": 1_000 + number,
            "version": number,
            "description": None,
            "payload": json.dumps({"tier": "gold", "note": padding}) if number % 4 == 0 else None,
            "has_experiment": False,
        },
    }


def definitions() -> bytes:
    """Return 20 flags that the requests decide for certain: the evaluator's mix without groups and dates, which aren't sent."""
    content = document(2 * FLAGS)
    decided = [flag for number, flag in enumerate(content["flags"]) if number % len(KINDS) not in UNSENT]
    return json.dumps({**content, "flags": decided[:FLAGS]}).encode()


def requests() -> list[bytes]:
    """Return the whole bytes of one request per user, all sent at one time."""
    return [_request(_body(user)) for user in range(USERS)]


def stream(*, stamped: bool) -> Iterator[bytes]:
    """Yield one user's request after the other for ever, each with a `sent_at` of its own where `stamped`."""
    stock = [request.partition(SENT_AT) for request in requests()]
    for number in count():
        before, stamp, after = stock[number % USERS]
        yield before + (b"%06d" % (number % 1_000_000) if stamped else stamp) + after


def _body(user: int) -> bytes:
    document = {
        "distinct_id": f"user-{user:06}",
        "groups": {"organization": f"org-{user % 50}"},
        "person_properties": {"plan": "pro", "country": "SE", "seats": user % 40, "email": f"user-{user}@example.com"},
        "group_properties": {},
        "geoip_disable": True,
        "device_id": None,
        "sent_at": f"2026-11-22T10:00:00.{SENT_AT.decode()}+00:00",
        "api_key": TOKEN,
    }
    return json.dumps(document).encode()


def _request(body: bytes) -> bytes:
    head = (
        "POST /flags/?v=2 HTTP/1.1\r\n"
        "Host: flags.example.com\r\n"
        "User-Agent: posthog-python/7.91.1\r\n"
        "Accept-Encoding: gzip, deflate\r\n"
        "Accept: */*\r\n"
        "Connection: keep-alive\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
