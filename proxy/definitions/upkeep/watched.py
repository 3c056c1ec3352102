"""A source whose polls are traced: one client span each, by itself, sampled like everything else; no key and no token in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy.config.secret import Secret
from proxy.telemetry.handing import Handing, Whither

from .source import NO_LINES, Answer, Fetched, NotModified, Source, Trouble

_STATUS: Final = "status_"
_STATUSES: Final[Mapping[type, int]] = {Fetched: 200, NotModified: 304}


class Watched:
    """A source, watched."""

    def __init__(self, source: Source, handing: Handing, whither: Whither) -> None:
        self._source = source
        self._handing = handing
        self._whither = whither

    async def fetch(
        self, *, token: str, key: Secret, etag: str | None, timeout_s: float, lines: Mapping[str, str] = NO_LINES
    ) -> Answer:
        with self._handing.over(self._whither, "GET", tuple(lines.items()), is_own=True) as exchange:
            answer = await self._source.fetch(token=token, key=key, etag=etag, timeout_s=timeout_s, lines=dict(exchange.lines))
            exchange.status = _status(answer)
            exchange.trouble = answer.why if isinstance(answer, Trouble) else ""
        return answer

    async def close(self) -> None:
        await self._source.close()


def _status(answer: Answer) -> int | None:
    """Return what upstream answered with; None: nothing, or nothing that counts."""
    if isinstance(answer, Trouble):
        return int(answer.why.removeprefix(_STATUS)) if answer.why.startswith(_STATUS) else None
    return _STATUSES[type(answer)]
