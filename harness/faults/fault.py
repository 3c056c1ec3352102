"""Faults as values: frozen, named by their `kind`, JSON-able. What they mean is said here; `layer` and `relay` play them.

Semantic faults change what the service says. `RelayFault` changes what the network does with it. A fault holds no state and no
randomness: chance belongs to the rule that uses it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Bytes = Annotated[int, Meta(ge=0, le=1 << 30)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One thing that goes wrong with an answer."""


class Say(Fault, frozen=True, tag="say"):
    """Another answer instead of the true one; the service does no work for it.

    Attributes:
        status: HTTP status.
        body: Text of the body.
        content_type: Its type; "" sends none.
        headers: Further header lines, `Retry-After` for instance.
        after_s: How long the caller waits for it.
    """

    status: Annotated[int, Meta(ge=200, le=599)]
    body: str = ""
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()
    after_s: Seconds = 0.0


class Slow(Fault, frozen=True, tag="slow"):
    """The true answer, late by `seconds` ± `jitter_s`."""

    seconds: Seconds
    jitter_s: Seconds = 0.0


class Emptied(Fault, frozen=True, tag="emptied"):
    """An error-free 200 in which every flag is missing; of the definitions, an empty list."""


class Shrunk(Fault, frozen=True, tag="shrunk"):
    """An error-free 200 that keeps only this share of the flags (the first ones by key)."""

    kept: Share = 0.5


class Failing(Fault, frozen=True, tag="failing"):
    """`errorsWhileComputingFlags: true`, this share of the flags `failed: true` (the first ones by key; contract §3.6)."""

    share: Share = 0.5


class Outdated(Fault, frozen=True, tag="outdated"):
    """Answers, well formed and error-free, from the definitions as they were when the fault was switched on."""


class Defect(StrEnum):
    """What is wrong with one flag of a definitions document."""

    UNKNOWN_OPERATOR = "unknown_operator"
    UNRESOLVABLE_COHORT = "unresolvable_cohort"
    CYCLE = "cycle"


class BadDefinitions(Fault, frozen=True, tag="bad_definitions"):
    """A definitions document with a defect in its first flags; other endpoints are untouched."""

    defect: Defect


class Breakage(StrEnum):
    """How the message that carries the true answer is damaged."""

    TRUNCATED_JSON = "truncated_json"
    BAD_GZIP = "bad_gzip"
    LENGTH_TOO_LONG = "length_too_long"
    LENGTH_TOO_SHORT = "length_too_short"
    CUT_CHUNKS = "cut_chunks"


class Broken(Fault, frozen=True, tag="broken"):
    """The true answer in a damaged message."""

    how: Breakage


AnyFault: TypeAlias = Say | Slow | Emptied | Shrunk | Failing | Outdated | BadDefinitions | Broken


class How(StrEnum):
    """What the network does.

    `refuse`: nobody listens, and connections that were there are reset. `reset_before`: RST once a request has come.
    `reset_after`: RST after the answer's head. `silence`: accepted, never answered (a black hole). `hang`: nothing after
    `bytes` of the answer. `drip`: one byte of the answer every `interval_s`. `truncate`: an orderly close after `bytes`.
    `latency`: every answer late by `delay_s` ± `jitter_s`. `half_open`: connections that were there carry nothing any more
    and are not closed; new ones work.
    """

    PASS = "pass"  # noqa: S105 - no password
    REFUSE = "refuse"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    SILENCE = "silence"
    HANG = "hang"
    DRIP = "drip"
    TRUNCATE = "truncate"
    LATENCY = "latency"
    HALF_OPEN = "half_open"


class RelayFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the relay does with exchanges that begin from now on; fields that `how` does not name are ignored."""

    how: How = How.PASS
    bytes: Bytes = 0
    interval_s: Seconds = 0.0
    delay_s: Seconds = 0.0
    jitter_s: Seconds = 0.0


PASS: Final = RelayFault()


class Endpoint(StrEnum):
    """Which requests a rule is about."""

    FLAGS = "flags"
    DEFINITIONS = "definitions"
    ALL = "all"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault for this share of the requests of an endpoint.

    Attributes:
        fault: What goes wrong.
        endpoint: Which requests it is about.
        probability: How likely each of them meets it.
        first: It is over when so many have met it; 0: never.
    """

    fault: AnyFault
    endpoint: Endpoint = Endpoint.FLAGS
    probability: Share = 1.0
    first: Annotated[int, Meta(ge=0)] = 0


UNRESOLVABLE_HOST: Final = "flags.invalid"
"""A name that no DNS resolves (RFC 6761 §6.4): the DNS failure, for whoever configures the upstream's address."""
