"""Cross-origin headers, computed per request on every answer, errors included (contract §1.3).

The origin is mirrored and credentials are allowed, as the service does; so an answer for one origin must never be given to
another: these lines are made from the request at hand and are never remembered, and `Vary: Origin` is always there.
"""

from __future__ import annotations

from typing import Final, TypeGuard

from .headers import HeaderLines

EXPOSED: Final = "X-PostHog-Rate-Limit-Warning, Cache-Status, Proxy-Status, Age, ETag"
METHODS: Final = "GET, POST, OPTIONS, HEAD"

_VARY: Final = ("Vary", "Origin")
_CREDENTIALS: Final = ("Access-Control-Allow-Credentials", "true")
_EXPOSE: Final = ("Access-Control-Expose-Headers", EXPOSED)
_NO_ORIGIN: Final = (_VARY,)
_LONGEST_MIRRORED: Final = 4096


def headers_for(origin: str | None) -> HeaderLines:
    """Return the lines every answer carries, given the request's `Origin` (None: not a cross-origin request)."""
    if not _may_be_mirrored(origin):
        return _NO_ORIGIN
    return (("Access-Control-Allow-Origin", origin), _CREDENTIALS, _EXPOSE, _VARY)


def preflight_headers(origin: str | None, requested_headers: str | None) -> HeaderLines:
    """Return the lines of a preflight answer (200, empty body): `requested_headers` is mirrored.

    `requested_headers` is `Access-Control-Request-Headers`.
    """
    lines: HeaderLines = (("Access-Control-Allow-Methods", METHODS),)
    if _may_be_mirrored(requested_headers):
        lines += (("Access-Control-Allow-Headers", requested_headers),)
    return (*headers_for(origin), *lines)


def _may_be_mirrored(value: str | None) -> TypeGuard[str]:
    """Tell whether a request's value may stand in an answer: one printable ASCII line of sane length."""
    return value is not None and len(value) <= _LONGEST_MIRRORED and value.isascii() and value.isprintable() and value != ""
