"""One request of a scenario and its answer, as recorded: when, for whom, and what the labels said."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

UNANSWERED: Final = 0
OK: Final = 200

_DETAIL: Final = re.compile(r"; detail=([a-z]+)")
_TTL: Final = re.compile(r"; ttl=(-?\d+)")
_TROUBLE: Final = re.compile(r'details="([a-z_]+)"')


class Shot(msgspec.Struct):
    """A request, and what came of it. Times are seconds of one monotonic clock.

    Attributes:
        user: Who asks.
        is_known: The upstream answered this very question before the fault, within the stale window.
        due_at: When it was to be sent: latencies count from here.
        sent_at: When it was.
        received_at: When its answer was whole; of one that never came, when it was given up.
        status: 0: no answer.
        cache: `Cache-Status`.
        proxy: `Proxy-Status`; "" without one.
        age_s: `Age`; None without one.
        content: Number of the flags it gave (`Contents`); None: no flags.
        has_errors: It said `errorsWhileComputingFlags: true`.
    """

    user: str
    is_known: bool
    due_at: float
    sent_at: float = 0.0
    received_at: float = 0.0
    status: int = UNANSWERED
    cache: str = ""
    proxy: str = ""
    age_s: int | None = None
    content: int | None = None
    has_errors: bool = False

    @property
    def latency_s(self) -> float:
        """From the instant it was due."""
        return self.received_at - self.due_at

    @property
    def detail(self) -> str:
        """`stale`, `local`, `none`, …; "" without one."""
        found = _DETAIL.search(self.cache)
        return found[1] if found else ""

    @property
    def trouble(self) -> str:
        """Why upstream gave no usable answer; "" where it did."""
        found = _TROUBLE.search(self.proxy)
        return found[1] if found else ""

    @property
    def is_fresh_hit(self) -> bool:
        """It came from memory, and upstream was not to be asked."""
        ttl = _TTL.search(self.cache)
        return "; hit" in self.cache and not self.detail and ttl is not None and int(ttl[1]) >= 0

    @property
    def is_collapsed(self) -> bool:
        """It joined a question that somebody had asked before."""
        return "; collapsed" in self.cache

    @property
    def is_normal(self) -> bool:
        """Nothing was wrong when it was answered."""
        return self.status == OK and not self.proxy and not self.detail

    @property
    def is_refused_by_breaker(self) -> bool:
        """Upstream was not asked because the breaker is open or recovering."""
        return self.trouble in {"breaker_open", "breaker_recovering"}


class _Body(msgspec.Struct):
    flags: Raw | UnsetType = UNSET
    errors: bool | None = msgspec.field(name="errorsWhileComputingFlags", default=None)


class _Metadata(msgspec.Struct):
    payload: str | None = None


class _Record(msgspec.Struct):
    enabled: bool
    variant: str | None = None
    failed: bool = False
    metadata: _Metadata | None = None


Value = tuple[bool, str | None, str | None]
Values = dict[str, Value | None]
"""Flag → enabled, variant and payload; None for a record marked failed."""

_decode: Final = msgspec.json.Decoder(_Body).decode
_records: Final = msgspec.json.Decoder(dict[str, _Record]).decode


class Contents:
    """All different sets of flags that were seen, each kept and read once."""

    def __init__(self) -> None:
        self.values: list[Values] = []
        self._numbers: dict[bytes, int] = {}

    def note(self, shot: Shot, body: bytes) -> None:
        """Read an answer's body into a shot."""
        try:
            read = _decode(body)
            number = None if read.flags is UNSET else self._number(bytes(read.flags))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        shot.content, shot.has_errors = number, bool(read.errors)

    def _number(self, flags: bytes) -> int:
        known = self._numbers.get(flags)
        if known is None:
            self.values.append(values_of(flags))
            known = self._numbers[flags] = len(self.values) - 1
        return known


def values_of(flags: bytes) -> Values:
    """Read the `flags` of an answer."""
    return {
        key: None
        if record.failed
        else (record.enabled, record.variant, None if record.metadata is None else record.metadata.payload)
        for key, record in _records(flags).items()
    }
