"""Where definitions come from over HTTP: one conditional GET, and what its answer means. Expected trouble is a value.

Redirects are not followed: the request carries a key. Neither the key nor the token is ever part of an error.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

import aiohttp
import msgspec
from yarl import URL

from proxy.answer.intake.body import Trouble as BodyTrouble
from proxy.answer.intake.body import gunzip
from proxy.config.secret import Secret
from proxy.config.settings import Upstream
from proxy.upstream.errors import EXPECTED, failure_of
from proxy.version import VERSION

PATH: Final = "/flags/definitions"
NO_LINES: Final[Mapping[str, str]] = {}
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_LONGEST_RETRY_AFTER_S: Final = 86_400
_SECONDS_DIGITS: Final = 9


class Fetched(msgspec.Struct, frozen=True):
    """A document, with the `ETag` as upstream sent it."""

    body: bytes
    etag: str | None


class NotModified(msgspec.Struct, frozen=True):
    """Upstream still has what it sent last."""


class Trouble(msgspec.Struct, frozen=True):
    """No document.

    Attributes:
        why: A fixed word: `status_429`, `timeout`, `connection_refused`, …
        retry_after_s: How long upstream wants to be left alone; None: it did not say.
        is_about_key: Upstream refuses the key, or seems to.
    """

    why: str
    retry_after_s: float | None = None
    is_about_key: bool = False


Answer: TypeAlias = Fetched | NotModified | Trouble
KEY_STATUSES: Final = frozenset({401, 403})


class Source(Protocol):
    """What asks one upstream for definitions."""

    async def fetch(
        self, *, token: str, key: Secret, etag: str | None, timeout_s: float, lines: Mapping[str, str] = NO_LINES
    ) -> Answer:
        """Ask once; `etag` is what upstream sent last, None to get the document whatever it is; `lines` are sent, too."""
        ...

    async def close(self) -> None:
        """Close every connection."""


class HttpSource:
    """One upstream over HTTP; made inside the running loop."""

    def __init__(self, upstream: Upstream) -> None:
        self._base = upstream.url.rstrip("/")
        self._limit = upstream.response_bytes
        self._session = _session(upstream.ca_file)

    async def fetch(
        self, *, token: str, key: Secret, etag: str | None, timeout_s: float, lines: Mapping[str, str] = NO_LINES
    ) -> Answer:
        conditions = {} if etag is None else {"If-None-Match": etag}
        headers = {"Authorization": f"Bearer {key.reveal()}", **conditions, **lines}
        url = URL(self._base + PATH).with_query({"token": token, "send_cohorts": ""})
        found = await _get(self._session, url, headers, limit=self._limit, timeout_s=timeout_s)
        return Trouble("unasked_304") if isinstance(found, NotModified) and etag is None else found

    async def close(self) -> None:
        await self._session.close()


async def fetch_plain(url: str, *, limit: int, timeout_s: float) -> Answer:
    """Get a document that needs no key (a boot source)."""
    async with _session(None) as session:
        return await _get(session, URL(url, encoded=True), {}, limit=limit, timeout_s=timeout_s)


def _session(ca_file: str | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=8, ssl=ssl.create_default_context(cafile=ca_file) if ca_file else True)
    headers = {"User-Agent": f"holdfast/{VERSION}", "Accept": "application/json", "Accept-Encoding": "gzip"}
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=headers, auto_decompress=False, trust_env=False
    )


async def _get(session: aiohttp.ClientSession, url: URL, headers: dict[str, str], *, limit: int, timeout_s: float) -> Answer:
    patience = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with session.get(url, headers=headers, allow_redirects=False, timeout=patience) as response:
            if response.status != _OK:
                return _without_document(response)
            body = await _read(response, limit)
            return Trouble("too_large") if body is None else _document(response, body, limit)
    except EXPECTED as error:
        return Trouble(failure_of(error).trouble.value)


def _without_document(response: aiohttp.ClientResponse) -> NotModified | Trouble:
    if response.status == _NOT_MODIFIED:
        return NotModified()
    return Trouble(f"status_{response.status}", _retry_after(response), is_about_key=response.status in KEY_STATUSES)


def _document(response: aiohttp.ClientResponse, body: bytes, limit: int) -> Fetched | Trouble:
    if response.headers.get("Content-Encoding", "").strip().lower() in {"gzip", "x-gzip"}:
        text = gunzip(body, limit=limit)
        if isinstance(text, BodyTrouble):
            return Trouble("malformed")
        body = text
    return Fetched(body, response.headers.get("ETag"))


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """Return the body; None when it is larger than allowed."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            response.close()
            return None
    return b"".join(chunks)


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Return `Retry-After` in seconds; None when absent or a date (its clock is not ours)."""
    text = response.headers.get("Retry-After", "").strip()
    return (
        float(min(int(text), _LONGEST_RETRY_AFTER_S))
        if text.isascii() and text.isdecimal() and len(text) <= _SECONDS_DIGITS
        else None
    )
