"""The adapter's HTTP face without HTTP: method, path and body in, status and object out.

One SDK client at a time, as the contract has it where `supports_parallel` is not announced. Whatever the SDK raises is a 500
with its kind and message, never the end of the adapter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from .contract import BAD_REQUEST, FAILED, OK, Refusal, fields

ADAPTER_VERSION: Final = "1.0.0"


class Client(Protocol):
    """One initialized SDK."""

    def capture(self, asked: Mapping[str, Any]) -> str:
        """Take an event in; return its UUID."""
        ...

    def flush(self) -> int:
        """Send everything; return how many events were delivered by it."""
        ...

    def flag(self, asked: Mapping[str, Any]) -> Any:
        """Return the flag's value as the SDK hands it out; None: it has none."""

    def discard(self) -> None:
        """End it; what was not sent is not sent any more."""


class Sdk(Protocol):
    """The SDK under test."""

    name: str
    version: str
    capabilities: tuple[str, ...]

    def start(self, config: Mapping[str, Any]) -> Client:
        """Return a client for the configuration of an `init`."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return what `GET /state` reports."""
        ...


class Face:
    """The actions of the contract, around one SDK."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self._client: Client | None = None
        self._changing = threading.Lock()
        self._actions: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "/health": self._health,
            "/state": lambda _: self._sdk.state(),
            "/init": self._init,
            "/reset": self._reset,
            "/capture": lambda asked: {"success": True, "uuid": self._started().capture(asked)},
            "/flush": lambda _: {"success": True, "events_flushed": self._started().flush()},
            "/get_feature_flag": lambda asked: {"success": True, "value": self._started().flag(asked)},
        }

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Carry one request out; never raises."""
        try:
            asked = fields(method, path, body)
            return OK, self._actions[path](asked)
        except Refusal as refusal:
            return refusal.status, {"success": False, "error": str(refusal)}
        except Exception as error:  # noqa: BLE001 — an SDK that raises is an answer, and it goes to whoever asked
            return FAILED, {"success": False, "error": f"{type(error).__name__}: {error}"}

    def close(self) -> None:
        """End the client there is."""
        self._replace(None)

    def _health(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "sdk_name": self._sdk.name,
            "sdk_version": self._sdk.version,
            "adapter_version": ADAPTER_VERSION,
            "supports_parallel": False,
            "capabilities": list(self._sdk.capabilities),
        }

    def _init(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        self._replace(asked)
        return {"success": True}

    def _reset(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._replace(None)
        return {"success": True}

    def _replace(self, config: Mapping[str, Any] | None) -> None:
        with self._changing:
            before, self._client = self._client, None
            if before is not None:
                before.discard()
            if config is not None:
                self._client = self._sdk.start(config)

    def _started(self) -> Client:
        if self._client is None:
            raise Refusal(BAD_REQUEST, "not initialized; POST /init first")
        return self._client
