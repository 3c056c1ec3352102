"""Recently understood bodies: the same caller asking the same again is recognised by its bytes, without parsing them.

SDKs put the time of sending into each body (`sent_at`), so the text compared is the body without that one value. It is left out
only where that is certainly right: no backslash in the text and the name `"sent_at"` in it once, as a top-level field with a
plain string. Two texts that are then equal differ in nothing but that value, which is not part of a key. Exact bytes are
compared, a parse of 6 µs is saved for 1.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from proxy.answer.request import Key

from .tenants import Tenant

REMEMBERED: Final = 4096
LONGEST_BYTES: Final = 2048
"""At most 8 MiB of texts, and that only when 4096 callers ask again and again."""

_SENT_AT: Final = re.compile(rb'"sent_at"\s*:\s*"([ !#-\[\]-~]*)"')


class Understood(msgspec.Struct, frozen=True):
    """What a body said. `credential`: as in `FlagsRequest`."""

    tenant: Tenant
    key: Key
    asked: tuple[str, ...] | None
    writes: bool
    credential: int


class Recent:
    """The last bodies understood, each with everything else its key was made from."""

    def __init__(self) -> None:
        self._understood: dict[tuple[bytes, str, int], Understood] = {}

    def find(self, text: bytes, *, target: str, head: int) -> Understood | None:
        """Return what this text said last time; `target` is path and query, `head` the number of the header lines."""
        return self._understood.get((without_sent_at(text), target, head))

    def keep(self, text: bytes, understood: Understood, *, target: str, head: int) -> None:
        """Remember a text that `is_recognisable`."""
        if len(self._understood) >= REMEMBERED:
            self._understood.clear()
        self._understood[without_sent_at(text), target, head] = understood


def without_sent_at(text: bytes) -> bytes:
    """Return the text without the value of its first `sent_at`; the text itself when there is none."""
    found = _SENT_AT.search(text)
    return text if found is None else text[: found.start(1)] + text[found.end(1) :]


def is_recognisable(text: bytes, *, has_sent_at: bool) -> bool:
    """Tell whether leaving `sent_at` out of this strictly read text leaves out exactly the top-level field of that name."""
    return len(text) <= LONGEST_BYTES and b"\\" not in text and text.count(b'"sent_at"') == has_sent_at
