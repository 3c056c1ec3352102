"""Ten thousand hostile lines into a real `python -m reference jsonlines`: it answers each, in order, and lives."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.properties.reference import hostile

ROOT = Path(__file__).resolve().parents[3]
LINES = 10_000
KINDS = {"line_too_long", "bad_json", "bad_request", "bad_definitions", "not_loaded"}
IDS: tuple[Any, ...] = (0, -1, 10**30, 1.5, "x", "\ud800", None, True)
NO_REQUESTS = (b"", b" ", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"id":1,' + b" " * 200_000, b"9" * 5000)
ODD_IDS: tuple[Any, ...] = ([1], {"a": 1}, float("nan"))


def request(rng: random.Random, identity: Any) -> dict[str, Any]:
    """Draw a request that may be wrong anywhere."""
    draw = rng.random()
    if draw < 0.15:
        return {"id": identity, "op": hostile.maybe(rng, "describe", 0.3)}
    if draw < 0.45:
        return {"id": identity, "op": "load", "definitions": hostile.document(rng)}
    context = {**hostile.context(rng), "now": hostile.maybe(rng, "2026-11-22T12:00:00Z", 0.2)}
    spoilt = {name: hostile.maybe(rng, value, 0.03) for name, value in context.items() if rng.random() < 0.95}
    asked = {
        "properties_complete": True,
        "timezone": rng.choice(("UTC", "../etc/passwd")),
        "flag_keys": ["f0", "nowhere"],
        "runtime": "client",
        "evaluation_contexts": ["a"],
        "survey_only": True,
    }
    some = {name: hostile.maybe(rng, value, 0.1) for name, value in asked.items() if rng.random() < 0.1}
    return {"id": identity, "op": "evaluate", "context": hostile.maybe(rng, spoilt, 0.02), **some}


def line(rng: random.Random, number: int) -> tuple[bytes, Any]:
    """Draw a line without its end, and the id its answer must carry; `...` where that cannot be said."""
    identity = rng.choice((number, number, *IDS, *ODD_IDS))
    text = hostile.as_text(request(rng, identity))
    draw = rng.random()
    if draw < 0.1:
        return hostile.spoilt(rng, text).replace(b"\n", b" "), ...
    if draw < 0.12:
        return rng.choice(
            (b"", b" ", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"id":1,' + b" " * 200_000, b"9" * 5000)
        ), ...
    is_echoed = isinstance(identity, str | int | float | None) and identity == identity  # noqa: PLR0124 - NaN is not
    return text, identity if is_echoed else None


def test_ten_thousand_hostile_lines_are_answered_one_by_one():
    rng = random.Random(20261122)
    drawn = [line(rng, number) for number in range(LINES)]
    last = (b'{"id":"last","op":"describe"}', "last")
    command = [sys.executable, "-m", "reference", "jsonlines"]
    sent = b"\n".join(text for text, _ in [*drawn, last])  # the last line has no end
    child = subprocess.run(command, cwd=ROOT, input=sent, capture_output=True, check=True, timeout=100)
    answers = [json.loads(answer) for answer in child.stdout.splitlines()]
    assert child.stderr == b""
    assert len(answers) == LINES + 1
    for answer, (_, identity) in zip(answers, [*drawn, last], strict=True):
        assert identity is ... or answer["id"] == identity
        assert answer.get("error", {}).get("kind", "bad_json") in KINDS
        assert len({"name", "ok", "flags", "error"} & set(answer)) == 1
    assert answers[-1]["name"] == "holdfast-reference"
    assert sum("flags" in answer for answer in answers) > LINES // 10
