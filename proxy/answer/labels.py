"""How an answer's story is told in headers: `Cache-Status` (RFC 9211), `Proxy-Status` (RFC 9209) and `Age`.

The vocabulary is fixed and small, names nobody and nothing, and is the same for every answer of the flag endpoints:

| answer                                   | Cache-Status                                                        |
|------------------------------------------|---------------------------------------------------------------------|
| fresh copy                               | `holdfast; hit; ttl=<s>`                                            |
| copy given while it is asked anew        | `holdfast; hit; ttl=-<s>; detail=stale`, without a `Proxy-Status`   |
| local-first: from definitions            | `holdfast; hit; detail=local`                                       |
| upstream, live                           | `holdfast; fwd=<why>; fwd-status=<n>[; stored][; collapsed]`        |
| partial, filled or as it came            | `holdfast; fwd=<why>; fwd-status=200[; collapsed]`, `details="partial"` |
| `bypass`, `observe`: pure relay          | none: not a byte is added                                           |
| remembered, after upstream failed or was late | `holdfast; fwd=stale[; fwd-status=<n>][; collapsed]; ttl=-<s>; detail=stale` |
| remembered, upstream not asked           | `holdfast; hit; ttl=-<s>; detail=stale`                             |
| upstream's, gaps filled from elsewhere   | `holdfast; fwd=<why>; fwd-status=200[; collapsed]; detail=merged`   |
| assembled from other sources             | `holdfast; fwd=<why>; detail=local` (or `configured`)               |
| nothing at hand                          | `holdfast; fwd=<why>; detail=none`                                  |

`hit` and `fwd` never stand together (RFC 9211 §2.1). `Proxy-Status` is there whenever a failure led to the answer:
`holdfast; error=<RFC 9209 type>; received-status=<n>; details="<trouble>"`. `Age` is that of the copy, or of the
definitions; of a merged answer, that of the oldest flag in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from .answer import Answer, Assembled, Failure, Source, Trouble

NAME: Final = "holdfast"

Lines = tuple[tuple[str, str], ...]

ERRORS: Final[Mapping[Trouble, str | None]] = {
    Trouble.REFUSED: "connection_refused",
    Trouble.DNS: "dns_error",
    Trouble.TLS: "tls_protocol_error",
    Trouble.RESET: "connection_terminated",
    Trouble.TIMEOUT: "http_response_timeout",
    Trouble.CONNECT_TIMEOUT: "connection_timeout",
    Trouble.INCOMPLETE: "http_response_incomplete",
    Trouble.MALFORMED: "http_protocol_error",
    Trouble.TOO_LARGE: "http_response_body_size",
    Trouble.BREAKER_OPEN: "destination_unavailable",
    Trouble.BREAKER_RECOVERING: "destination_unavailable",
    Trouble.SHED: "connection_limit_reached",
    Trouble.STATUS: None,  # RFC 9209 §2.1.4: `received-status` says it
    Trouble.RATE_LIMITED: None,
    Trouble.AUTH: None,
    Trouble.SUSPECT: None,
    Trouble.PARTIAL: None,
    Trouble.OVER_QUOTA: None,
}
"""Our words in RFC 9209's; None where the received status is the whole story."""

NOT_ASKED: Final = frozenset({Trouble.BREAKER_OPEN, Trouble.BREAKER_RECOVERING, Trouble.SHED})
LOCAL_FIRST: Final = ("Cache-Status", f"{NAME}; hit; detail={Source.LOCAL}")
_NOTHING: Final[Lines] = ()


def labels(answer: Answer) -> Lines:
    """Return the header lines that tell an answer's story."""
    if answer.source is Source.FRESH:
        return (("Cache-Status", f"{NAME}; hit; ttl={math.ceil(answer.fresh_for_s or 0)}"), ("Age", str(int(answer.age_s))))
    if answer.source is Source.LOCAL and answer.failure is None:
        return (LOCAL_FIRST, *_age(answer))
    if answer.failure is None and answer.source is Source.STALE:
        return (("Cache-Status", f"{NAME}; hit; ttl={int(answer.fresh_for_s or 0)}; detail={Source.STALE}"), *_age(answer))
    if answer.failure is None:
        if answer.forward is None:  # a pure relay has no story
            return _NOTHING
        return (("Cache-Status", _live(answer.forward, answer.content.status, answer.stored, answer.joined)),)
    return (("Cache-Status", _rescued(answer, answer.failure)), ("Proxy-Status", _proxy_status(answer.failure)), *_age(answer))


@lru_cache(maxsize=1024)  # a handful of reasons times the statuses seen
def _live(forward: str | None, status: int, stored: bool, joined: bool) -> str:  # noqa: FBT001 - cache keys are positional
    text = f"{NAME}; fwd={forward}; fwd-status={status}"
    return text + ("; stored" if stored else "") + ("; collapsed" if joined else "")


def _rescued(answer: Answer, failure: Failure) -> str:
    if answer.source is Source.STALE and failure.trouble in NOT_ASKED:
        asked = "hit"
    else:
        asked = f"fwd={answer.forward}"
        asked += "" if failure.status is None else f"; fwd-status={failure.status}"
        asked += "; collapsed" if answer.joined else ""
    ttl = "" if answer.fresh_for_s is None else f"; ttl={int(answer.fresh_for_s)}"
    detail = "" if answer.source is Source.UPSTREAM else f"; detail={answer.source}"
    return f"{NAME}; {asked}{ttl}{detail}"


def _proxy_status(failure: Failure) -> str:
    error = ERRORS[failure.trouble]
    text = NAME if error is None else f"{NAME}; error={error}"
    status = "" if failure.status is None else f"; received-status={failure.status}"
    return f'{text}{status}; details="{failure.trouble}"'


def _age(answer: Answer) -> Lines:
    has_age = answer.source is not Source.UPSTREAM and answer.source is not Source.NONE
    return (("Age", str(int(answer.age_s))),) if has_age else _NOTHING


def retry_after_s(answer: Answer) -> int | None:
    """Return what a 503 of our own suggests, in whole seconds; None for every other answer."""
    if not isinstance(answer.content, Assembled) or answer.source is not Source.NONE:
        return None
    wait_s = answer.failure.retry_after_s if answer.failure is not None else None
    return max(1, min(60, math.ceil(wait_s or 1)))
