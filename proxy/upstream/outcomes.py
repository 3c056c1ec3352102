"""What an upstream's HTTP answer means: one table by status, one look at a 200's body.

| answer to a POST                        | breaker | other source first | nothing at hand            |
|-----------------------------------------|---------|--------------------|----------------------------|
| 200 with a flags body                   | success | no                 | –                          |
| 200 with anything else, other 2xx, 3xx  | failure | yes                | 503 of ours                |
| 408, 5xx but 502 and 504                | failure | yes                | as it came                 |
| 502, 504                                | failure | yes                | 503 of ours (SDKs retry both) |
| 429                                     | failure of the project | yes | as it came                 |
| 401, 402, 403                           | success | no                 | –                          |
| any other 4xx                           | success | no                 | –                          |

A caller's 4xx is the upstream working. A redirect is never followed nor handed on: SDKs turn a POST into a GET on 301 and 302.
Answers to other methods are judged by the same statuses, but their 2xx bodies are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec

from proxy.answer.answer import Failure, Trouble, Whole

OK: Final = 200
_MOST_DIGITS: Final = 18
"""Of a `Retry-After` that says something; thousands of them would be an exception of `int`."""
OUR_BAD_STATUSES: Final = frozenset({502, 504})
"""Never handed on from flag endpoints: every SDK would ask again (sdks.md §1.4)."""


class Feed(Enum):
    """Whom an outcome is held against."""

    NOBODY = "nobody"
    UPSTREAM = "upstream"
    PROJECT = "project"


class Meaning(msgspec.Struct, frozen=True):
    """One row: the failure's word (None: a usable answer), whose breaker it feeds, whether it may be handed on as it came."""

    trouble: Trouble | None
    feed: Feed
    is_relayable: bool


_GOOD: Final = Meaning(None, Feed.NOBODY, is_relayable=True)
_MALFORMED: Final = Meaning(Trouble.MALFORMED, Feed.UPSTREAM, is_relayable=False)
_BROKEN: Final = Meaning(Trouble.STATUS, Feed.UPSTREAM, is_relayable=True)
_GATEWAY: Final = Meaning(Trouble.STATUS, Feed.UPSTREAM, is_relayable=False)

BY_STATUS: Final[Mapping[int, Meaning]] = {
    200: _GOOD,
    408: _BROKEN,
    429: Meaning(Trouble.RATE_LIMITED, Feed.PROJECT, is_relayable=True),
    **dict.fromkeys(OUR_BAD_STATUSES, _GATEWAY),
}
_BY_CLASS: Final[Mapping[int, Meaning]] = {2: _MALFORMED, 3: _MALFORMED, 4: _GOOD, 5: _BROKEN}


def meaning(whole: Whole, *, is_evaluation: bool, is_flags_body: bool) -> Meaning:
    """Return what an upstream's answer means.

    `is_evaluation`: it answers a POST; then a 200 must carry a flags body, which `is_flags_body` tells.
    """
    if whole.status == OK and is_evaluation and not is_flags_body:
        return _MALFORMED
    if not is_evaluation and OK <= whole.status < 300:  # noqa: PLR2004 - the 2xx of HEAD, OPTIONS and GET
        return _GOOD
    return BY_STATUS.get(whole.status) or _BY_CLASS.get(whole.status // 100, _MALFORMED)


def proper(said: Whole | Failure) -> Whole | Failure:
    """Return what may be handed on untouched: everything but an interim answer, which says nothing and would end the talk."""
    if isinstance(said, Whole) and said.status < OK:
        return Failure(trouble=Trouble.MALFORMED, status=said.status)
    return said


def failure(whole: Whole, trouble: Trouble) -> Failure:
    """Return the failure an HTTP answer stands for, with its real status and its `Retry-After`."""
    return Failure(trouble=trouble, status=whole.status, retry_after_s=_retry_after(whole))


def _retry_after(whole: Whole) -> float | None:
    """Return `Retry-After` in seconds; None when absent or a date (its clock is not ours)."""
    for name, value in whole.headers:
        if name.lower() == "retry-after" and value.isdecimal() and len(value) <= _MOST_DIGITS:
            return float(min(int(value), 86_400))
    return None
