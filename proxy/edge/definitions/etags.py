"""Names of documents: the upstream's, until a 402 was relayed; from then on the same with a suffix of ours.

posthog-node empties its flags on a 402 but keeps the document's `ETag`: a 304 afterwards would leave it empty until the flags
change (sdks.md §1.6). So every relayed 402 starts a new renewal of its project, the renewal is part of the tag, and a tag of
an earlier one never matches. Upstream never sees the suffix.
"""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = re.compile(r"~h([0-9a-f]{1,16})(?=\"?$)")


def tagged(etag: str | None, renewal: int) -> str | None:
    """Return the tag to give a client for a document that upstream calls `etag`; `renewal` 0: no 402 was ever relayed."""
    if etag is None or not renewal:
        return etag
    inner, quote = (etag[:-1], '"') if etag.endswith('"') else (etag, "")
    return f"{inner}~h{renewal:x}{quote}"


def for_upstream(etag: str | None, renewal: int) -> str | None:
    """Return what to ask upstream for a client that has `etag`; None: ask for the whole document.

    After a 402 only a tag that was given since then says that the client still has a document.
    """
    if etag is None:
        return None
    found = _SUFFIX.search(etag.strip())
    if renewal and (found is None or int(found[1], 16) != renewal):
        return None
    return _SUFFIX.sub("", etag.strip())


def is_same(asked: str | None, etag: str | None) -> bool:
    """Compare as the service does: one value, weak prefix and quotes stripped, byte by byte (contract §4.4)."""
    return asked is not None and etag is not None and _raw(asked) == _raw(etag)


def _raw(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"')
