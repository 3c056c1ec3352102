"""Names for answers that upstream did not name: random version 4 UUIDs (RFC 9562 §5.4), from the system's randomness.

The standard library asks the kernel for each one and builds an object of it: 2.5 µs alone, 7 µs among requests. Here 256 are
asked for at once and written straight as text. Not for secrets: the bytes of those to come stand in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

AT_ONCE: Final = 256
_DIGITS: Final = 32
_VARIANT: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""Any digit → one with the two bits of RFC 9562's variant set; each of the four as likely as the others."""


def uuids(random: Callable[[int], bytes] = os.urandom) -> Iterator[str]:
    """Yield UUIDs for ever; `random` returns so many random bytes. A fork would repeat them: our processes start by exec."""
    while True:
        digits = random(AT_ONCE * _DIGITS // 2).hex()
        for start in range(0, len(digits), _DIGITS):
            raw = digits[start : start + _DIGITS]
            yield f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{_VARIANT[raw[16]]}{raw[17:20]}-{raw[20:]}"
