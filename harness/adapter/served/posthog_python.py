"""posthog-python as the adapter drives it; the one module that imports the SDK.

Requests are seen where `requests` sends them, and events in `before_send`, so nothing of the SDK is replaced. While a client is
discarded, batches are answered on the spot and leave the process no more: a reset must not speak to the next test's server.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from .ledger import Ledger

CAPABILITIES: Final = ("capture_v0", "encoding_gzip")
"""The original capture protocol; answers that `GET /health` of PostHog's own adapters gives, too."""
_DEFAULTS: Final = {"flush_at": 100, "flush_interval_ms": 500, "max_retries": 3, "enable_compression": False}
"""CONTRACT.yaml, `init`."""


class PosthogPython:
    """The SDK, and what its clients sent."""

    name = "posthog-python"
    capabilities: tuple[str, ...] = CAPABILITIES

    def __init__(self) -> None:
        import posthog  # type: ignore[import-not-found] # noqa: PLC0415 — only its lane has it
        from posthog.version import VERSION  # type: ignore[import-not-found] # noqa: PLC0415

        self.version: str = VERSION
        self.ledger = Ledger()
        self.is_discarding = False
        self._new: Callable[..., Any] = posthog.Posthog
        logging.getLogger("posthog").addHandler(_LastError(self.ledger))
        _watch(self)

    def start(self, config: Mapping[str, Any]) -> PosthogClient:
        """Return a client; counting begins anew."""
        self.ledger.clear()
        asked = {**_DEFAULTS, **config}
        client = self._new(
            asked["api_key"],
            host=asked["host"],
            flush_at=asked["flush_at"],
            flush_interval=asked["flush_interval_ms"] / 1000,
            max_retries=asked["max_retries"],
            gzip=asked["enable_compression"],
            # The SDK's own default is true; the harness expects what a request leaves out to be false.
            disable_geoip=asked.get("disable_geoip", False),
            before_send=self._before_send,
        )
        return PosthogClient(self, client)

    def state(self) -> Mapping[str, Any]:
        """Return the counts since the last `init` or `reset`."""
        return self.ledger.state()

    def _before_send(self, event: Any) -> Any:
        self.ledger.captured()
        return event


class PosthogClient:
    """One client of it."""

    def __init__(self, sdk: PosthogPython, client: Any) -> None:
        self._sdk = sdk
        self._client = client

    def capture(self, asked: Mapping[str, Any]) -> str:
        """Take an event in."""
        at = {"timestamp": datetime.fromisoformat(asked["timestamp"])} if "timestamp" in asked else {}
        uuid = self._client.capture(asked["event"], distinct_id=asked["distinct_id"], properties=asked.get("properties"), **at)
        if uuid is None:
            raise RuntimeError("the SDK did not take the event in")
        return str(uuid)

    def flush(self) -> int:
        """Send everything, and wait for it."""
        before = self._sdk.ledger.sent
        self._client.flush()
        return self._sdk.ledger.sent - before

    def flag(self, asked: Mapping[str, Any]) -> Any:
        """Ask about one flag. No key for definitions is ever given, so `force_remote` is always obeyed."""
        options = {"disable_geoip": asked["disable_geoip"]} if "disable_geoip" in asked else {}
        return self._client.get_feature_flag(
            asked["key"],
            asked["distinct_id"],
            person_properties=asked.get("person_properties"),
            groups=asked.get("groups"),
            group_properties=asked.get("group_properties"),
            **options,
        )

    def discard(self) -> None:
        """End the client; nothing of it is sent any more."""
        self._sdk.is_discarding = True
        try:
            self._client.shutdown()
        finally:
            self._sdk.is_discarding = False
            self._sdk.ledger.clear()


class _LastError(logging.Handler):
    """Remembers the SDK's own error records: it swallows what goes wrong."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.ERROR)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        self._ledger.failed(record.getMessage())


def _watch(sdk: PosthogPython) -> None:
    """See every request where the SDK's HTTP library sends it."""
    from requests import Response  # type: ignore[import-untyped,unused-ignore] # noqa: PLC0415 — the SDK's dependency
    from requests.adapters import HTTPAdapter  # type: ignore[import-untyped,unused-ignore] # noqa: PLC0415

    sends = HTTPAdapter.send

    def send(adapter: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        uuids = batch(request.body, request.headers.get("Content-Encoding"))
        if uuids is None:
            return sends(adapter, request, *arguments, **options)
        if sdk.is_discarding:
            done = Response()
            done.status_code, done._content, done.request, done.url = 200, b"{}", request, request.url  # noqa: SLF001
            return done
        status = 0
        try:
            response = sends(adapter, request, *arguments, **options)
            status = response.status_code
            return response
        finally:
            sdk.ledger.requested(status, uuids)

    watched: Any = HTTPAdapter
    watched.send = send


def batch(body: Any, encoding: str | None) -> list[str] | None:
    """Return the UUIDs of the events in a request's body; None where it is no batch of events."""
    with contextlib.suppress(ValueError, OSError, EOFError, zlib.error):
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        content = json.loads(gzip.decompress(data) if encoding == "gzip" else data)
        if isinstance(content, dict) and isinstance(content.get("batch"), list):
            return [str(event.get("uuid", "")) for event in content["batch"] if isinstance(event, dict)]
    return None
