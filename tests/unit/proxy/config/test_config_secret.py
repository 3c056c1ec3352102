"""Secrets print nowhere, and come from exactly one place."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proxy.config.secret import REDACTED, Secret, read_secret
from proxy.config.settings import SecretSource

CANARY = "canary-4711"
SECRET = Secret(CANARY)

PRINTED: list[Callable[[Any], str]] = [
    repr,
    str,
    lambda secret: f"{secret}",
    lambda secret: f"{secret!r:>20}",
    lambda secret: f"{secret:>20}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  the old form prints too
    lambda secret: str([secret]) + str({"a": secret}),
    lambda secret: json.dumps(secret, default=str),
]


@pytest.mark.parametrize("printed", PRINTED)
def test_a_secret_does_not_print(printed: Callable[[Any], str]) -> None:
    assert CANARY not in printed(SECRET)
    assert REDACTED in printed(SECRET)


@pytest.mark.parametrize("encode", [json.dumps, msgspec.json.encode, msgspec.to_builtins, pickle.dumps, copy.deepcopy, vars])
def test_a_secret_cannot_be_encoded_or_copied(encode: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        encode(SECRET)


def test_a_secret_compares_by_value() -> None:
    assert Secret(CANARY) == SECRET
    assert hash(Secret(CANARY)) == hash(SECRET)
    assert Secret("other") != SECRET
    assert SECRET.matches(CANARY)
    assert not SECRET.matches("other")
    assert not SECRET.matches("\udcff")
    assert SECRET != CANARY


def test_a_secret_is_read_from_its_variable_or_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{CANARY}\r\n")
    assert read_secret(SecretSource(env="X"), {"X": CANARY}) == SECRET
    assert read_secret(SecretSource(file=str(path)), {}) == SECRET


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (SecretSource(), "exactly one"),
        (SecretSource(env="X", file="/x"), "exactly one"),
        (SecretSource(env="Y"), "environment variable Y is not set"),
        (SecretSource(env="EMPTY"), "the secret is empty"),
        (SecretSource(file="/absent"), "file /absent cannot be read"),
    ],
)
def test_a_secret_that_is_not_there_is_told_by_its_source(source: SecretSource, reason: str) -> None:
    found = read_secret(source, {"X": CANARY, "EMPTY": ""})
    assert isinstance(found, str)
    assert reason in found
