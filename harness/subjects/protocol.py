"""The line protocol every subject speaks: one JSON object per line, one answer per line, in order.

Requests are `describe`, `load` and `evaluate`; the answer carries the request's `id` and either the result or an `error`.
It is the protocol of `python -m reference jsonlines`, so the oracle is a subject like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from reference.json import Json


class Status(StrEnum):
    """How a subject answered about one flag.

    `inconclusive`: it declines and would ask the service. `nothing`: it has no value, and does not tell whether the flag is
    absent, undecided or failed (what an SDK's one-flag call says).
    """

    VALUE = "value"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    NOTHING = "nothing"


class Verdict(msgspec.Struct, frozen=True):
    """One subject's answer about one flag; `value` and `payload` count only with status `value`.

    Both are JSON (msgspec resolves no recursive alias); `payload` is as the subject hands it out: stored text, or decoded. Who
    says `value_only` tells nothing about payloads.
    """

    status: Status
    value: Any = None
    payload: Any = None
    reason: Any = None
    value_only: bool = False


class DriverError(msgspec.Struct, frozen=True):
    """The driver understood the line and could not carry it out."""

    kind: str
    message: str = ""


class Reply(msgspec.Struct, frozen=True):
    """One line from a subject; which fields are filled depends on the request."""

    id: int | None = None
    name: str | None = None
    version: str | None = None
    capabilities: tuple[str, ...] = ()
    ok: bool = False
    flags: Mapping[str, Verdict] | None = None
    error: DriverError | None = None


_decoder = msgspec.json.Decoder(Reply)


def describe() -> dict[str, Json]:
    """Ask who the subject is."""
    return {"op": "describe"}


def load(definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Replace the definitions."""
    return {"op": "load", "definitions": definitions}


def evaluate(context: Mapping[str, Json], flag_keys: Sequence[str] | None = None) -> dict[str, Json]:
    """Ask for all flags of one person, or for some."""
    return {"op": "evaluate", "context": context, **({} if flag_keys is None else {"flag_keys": list(flag_keys)})}


def encode(identity: int, request: Mapping[str, Any]) -> bytes:
    """Return the line of a request."""
    return msgspec.json.encode({"id": identity, **request}) + b"\n"


def decode(line: bytes) -> Reply:
    """Read an answer.

    Raises:
        msgspec.DecodeError: the line is not of this protocol.
    """
    return _decoder.decode(line)
