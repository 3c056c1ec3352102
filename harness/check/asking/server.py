"""The server under check: its definitions, and its answers about marked people. Two routes, both read-only.

It asks as politely as it can: paced, one request at a time, no redirects followed (they would carry the key elsewhere), a 429
obeyed once and final the second time in a row. No message carries a token, a key, or anything the server said.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from harness.case import Document, Person
from harness.subjects.protocol import Status, Verdict

from .budget import DEFINITIONS_COST, Budget, Stopped

TIMEOUT_S: Final = 30.0
LARGEST: Final = 64 * 1024 * 1024
RETRY_AFTER_S: Final = 5.0
"""The pause after a 429 that names none."""
PATIENCE_S: Final = 60.0
"""A server that wants a longer pause is left alone."""
TROUBLES: Final = 3
"""So many requests in a row without an answer end the check."""
FIELDS: Final = ("distinct_id", "person_properties", "groups", "group_properties", "device_id")
_UNDECIDED: Final = "evaluation_inconclusive"
_REMEDIES: Final = {
    401: "401 Unauthorized: the token or the key is not one of this project's",
    402: "402 Payment Required: the project is over its quota",
    403: "403 Forbidden: the key lacks the scope feature_flag:read",
    404: "404 Not Found: there is no flag service at this address",
}


class Definitions(NamedTuple):
    """One answer of the definitions endpoint; without an ETag it cannot be asked whether they changed for free."""

    document: Document
    etag: str | None


class Answer(NamedTuple):
    """One answer of `/flags`: verdicts by flag, the versions of the flags that gave them, and its error bit."""

    flags: Mapping[str, Verdict]
    versions: Mapping[str, int]
    errors: bool


class Server:
    """One server and one project. An async context manager; not for concurrent callers."""

    def __init__(self, url: str, *, token: str, key: str | None, budget: Budget) -> None:
        """Say where and as whom.

        Args:
            url: Scheme, host and port, with a path prefix where there is one.
            token: The project token.
            key: A personal or secret key that may read definitions; None: it is not asked for definitions.
            budget: What it may cost.
        """
        self.name = shown(url)
        self.url = url.rstrip("/")
        self.budget = budget
        self._token, self._key = token, key
        self._troubles = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            headers={"User-Agent": f"holdfast-check/{version('holdfast')}"},
            trust_env=not _is_near(self.url),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def definitions(self, etag: str | None = None) -> Definitions | None:
        """Fetch the project's definitions; None where they still have this ETag.

        Raises:
            Stopped: they cannot be had.
        """
        headers = {"Authorization": f"Bearer {self._key}"} | ({} if etag is None else {"If-None-Match": etag})
        query = {"token": self._token, "send_cohorts": ""}
        status, found, body = await self._asked("GET", "/flags/definitions", DEFINITIONS_COST, params=query, headers=headers)
        if status == 304:  # noqa: PLR2004 — Not Modified
            self.budget.give_back(DEFINITIONS_COST)
            return None
        document = _decoded(body, "definitions")
        if not isinstance(document.get("flags"), list):
            raise Stopped("the definitions have no list of flags; is this a flag service?")
        return Definitions(document, found.get("ETag"))

    async def flags(self, person: Person) -> Answer:
        """Ask about one person.

        Raises:
            Stopped: no answer can be had.
        """
        body = {name: person[name] for name in FIELDS if name in person}
        body |= {"token": self._token, "geoip_disable": True, "evaluation_runtime": "all"}
        _, _, text = await self._asked("POST", "/flags/", 1, params={"v": "2"}, json=body)
        answer = _decoded(text, "answer")
        if answer.get("quotaLimited"):
            raise Stopped("the project is over its quota of flag requests (quotaLimited)")
        records = answer.get("flags")
        if not isinstance(records, Mapping):
            raise Stopped("the answer has no flags of version 2; is this a flag service?")
        known = {key: record for key, record in records.items() if isinstance(record, Mapping)}
        return Answer(
            {key: verdict(record) for key, record in known.items()},
            {key: _object(record.get("metadata")).get("version") or 0 for key, record in known.items()},
            answer.get("errorsWhileComputingFlags") is True,
        )

    async def _asked(self, method: str, path: str, cost: int, **how: Any) -> tuple[int, Mapping[str, str], bytes]:
        is_second = False
        while True:
            # People never use up what it takes to see whether the definitions changed.
            await self.budget.take(cost, keep=0 if cost == DEFINITIONS_COST else DEFINITIONS_COST)
            try:
                status, headers, body = await self._sent(method, path, how)
            except (aiohttp.ClientError, TimeoutError, OSError) as trouble:
                self._trouble(type(trouble).__name__)
                continue
            if status in {200, 304}:
                self._troubles = 0
                return status, headers, body
            self.budget.give_back(cost)
            if status in _REMEDIES:
                raise Stopped(_REMEDIES[status])
            if status == 429:  # noqa: PLR2004 — Too Many Requests
                if is_second:
                    raise Stopped("429 Too Many Requests, twice in a row: try again later, or with a lower --rate")
                is_second = True
                await self.budget.rest(_pause(headers.get("Retry-After")))
            elif status < 500:  # noqa: PLR2004 — asking again would change nothing
                raise Stopped(f"status {status} to {method} {path}")
            else:
                self._trouble(f"status {status}")

    async def _sent(self, method: str, path: str, how: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        async with self._session.request(method, self.url + path, allow_redirects=False, **how) as response:
            body = await response.content.read(LARGEST + 1)
            while len(body) <= LARGEST and (more := await response.content.read(LARGEST + 1 - len(body))):
                body += more
            return response.status, response.headers, body

    def _trouble(self, what: str) -> None:
        self._troubles += 1
        if self._troubles >= TROUBLES:
            raise Stopped(f"no answer, {TROUBLES} times in a row (the last: {what})")


def verdict(record: Mapping[str, Any]) -> Verdict:
    """Read one record of a version 2 answer."""
    reason = _object(record.get("reason"))
    if record.get("failed"):
        return Verdict(Status.INCONCLUSIVE if reason.get("code") == _UNDECIDED else Status.FAILED)
    value = record.get("enabled") if record.get("variant") is None else record["variant"]
    told = {"code": reason.get("code"), "condition_index": reason.get("condition_index")}
    return Verdict(Status.VALUE, value, _object(record.get("metadata")).get("payload"), told)


def shown(url: str) -> str:
    """Return scheme, host and port: what may be printed of an address."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else f"{parts.hostname}"
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _pause(text: str | None) -> float:
    try:
        seconds = RETRY_AFTER_S if text is None else float(text)
    except ValueError:  # a date: the clocks may differ
        seconds = RETRY_AFTER_S
    if not 0 <= seconds <= PATIENCE_S:
        raise Stopped(f"429 Too Many Requests, and it asks for a pause of more than {PATIENCE_S:g} s: try again later")
    return seconds


def _is_near(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _decoded(body: bytes, what: str) -> dict[str, Any]:
    if len(body) > LARGEST:
        raise Stopped(f"the {what} is larger than {LARGEST} bytes")
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise Stopped(f"the {what} is not a JSON object; is this a flag service?") from cause
