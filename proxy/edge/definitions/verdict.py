"""What an upstream answer says about a caller's key, and whether a refusal is to be believed. Pure.

Accepted is a key only by a 304 to our own condition or a 200 with something like a document: a captive portal's page accepts
nobody. A refusal may be an outage in disguise (a full connection pool once answered 401 for everybody, contract §3.9), and
python empties all flags on it: so it is believed when upstream accepts another key at the same time, or has refused for long.
An outage that comes and goes refuses a key now and accepts the other a moment later: so a known key must have been refused
`ENOUGH` times in a row, over `SPREAD_S`, while the other key worked each time it was asked.

| refused with | key       | another key works                 | none works, or none can say       |
|--------------|-----------|-----------------------------------|-----------------------------------|
| 401, 402, 403| known     | held until repeated, then passed on| held `HOLD_S`, then passed on    |
| 401, 402, 403| unknown   | passed on                         | 503 `HOLD_S`, then passed on      |
| 401, 402, 403| unknown   | there is no other                 | passed on                         |
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

import msgspec

from proxy.answer.answer import Failure, Whole

HOLD_S: Final = 900.0
"""How long a refusal that nobody contradicts is taken for an outage."""

ENOUGH: Final = 3
"""Refusals in a row of one known key, with no other key failing in between, that are taken for what they say."""

SPREAD_S: Final = 60.0
"""… if they are spread over so long, or the caller asks too seldom for that (`SELDOM_S`)."""

SELDOM_S: Final = 75.0
"""Between two requests of a caller: who asks less often could not be told within five minutes of a revocation."""

REFUSALS: Final = frozenset({401, 402, 403})
QUOTA: Final = 402
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class Accepted(msgspec.Struct, frozen=True):
    """Upstream accepted the key."""

    answer: Whole


class Refused(msgspec.Struct, frozen=True):
    """Upstream refused the key, or the project's quota."""

    answer: Whole


class Unclear(msgspec.Struct, frozen=True):
    """Upstream said nothing about the key."""

    answer: Whole | Failure


Verdict: TypeAlias = Accepted | Refused | Unclear


class Others(Enum):
    """How upstream treats other keys at this time."""

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    NONE = "none"


def verdict(answer: Whole | Failure, *, is_conditional: bool) -> Verdict:
    """Read an answer; `is_conditional`: we asked with a tag, so that a 304 says something."""
    if isinstance(answer, Failure):
        return Unclear(answer)
    if answer.status in REFUSALS:
        return Refused(answer)
    if answer.status == _NOT_MODIFIED:
        return Accepted(answer) if is_conditional else Unclear(answer)
    return Accepted(answer) if answer.status == _OK and _is_like_a_document(answer) else Unclear(answer)


def is_believed(*, others: Others, refused_for_s: float, is_known: bool, is_repeated: bool = False) -> bool:
    """Tell whether a refusal is passed on.

    Args:
        others: How upstream treats other keys.
        refused_for_s: How long this key, or whoever could speak for it, has been refused.
        is_known: Upstream has accepted this very key before.
        is_repeated: It has been refused `ENOUGH` times since, and that was no coincidence.
    """
    if refused_for_s >= HOLD_S:
        return True
    if others is Others.ACCEPTED:
        return is_repeated or not is_known
    return others is Others.NONE and not is_known


class _Document(msgspec.Struct):
    flags: list[msgspec.Raw]


def _is_like_a_document(answer: Whole) -> bool:
    try:
        msgspec.json.decode(answer.body, type=_Document)
    except (msgspec.DecodeError, ValueError):
        return False
    return True
