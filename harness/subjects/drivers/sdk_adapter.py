"""An adapter of PostHog's sdk-test-harness, unchanged, as a subject: what an SDK says that asks a flag service.

The adapter is somebody's running HTTP server (`GET /health`, `POST /init`, `POST /get_feature_flag`, `POST /reset`). The driver
starts the embedded flag service, gives it the definitions, points the adapter at it and asks one flag after the other with
`force_remote`. What comes back is a value and nothing else, so it is compared on values alone.

The driver dies where the adapter is gone and waits where it is silent: its process is what crashes and hangs, and the harness
reports that as a finding and starts another one, which begins with `reset` and `init`.
"""

from __future__ import annotations

import copy
import http.client
import json
import os
import socket
import sys
from typing import Any, Final
from urllib.parse import urlsplit

from .flag_service import Driver as Service
from .flag_service import serve

GONE: Final = 70
"""Exit code where the adapter is not there any more (EX_SOFTWARE)."""


class Adapter:
    """One kept-alive connection to the adapter."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path.rstrip("/")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Return status and decoded answer; waits as long as it takes.

        Raises:
            OSError: the adapter cannot be reached, or left in the middle of an answer.
            ValueError: the answer is not JSON.
        """
        try:
            return self._once(method, path, body)
        except (ConnectionError, http.client.BadStatusLine):
            self._connection.close()  # It may only have closed an idle connection.
            return self._once(method, path, body)

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        self._connection.request(method, self._path + path, text, {"Content-Type": "application/json"})
        if self._connection.sock is not None and hasattr(socket, "TCP_QUICKACK"):
            # Many adapters write head and body apart, and wait 40 ms for an acknowledgement in between unless it comes at once.
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


class Driver:
    """The adapter, and the flag service that it asks."""

    def __init__(self, adapter: Adapter, service: Service) -> None:
        self.adapter = adapter
        self.service = service
        self.keys: list[str] = []

    def describe(self, _: dict[str, Any]) -> dict[str, Any]:
        """Ask the adapter who it is; one that is not there is an error in the answer, so that it can be told from a crash."""
        status, health = self.adapter.ask("GET", "/health")
        if status != http.client.OK or not {"sdk_name", "sdk_version"} <= set(health):
            raise RuntimeError(f"GET /health: status {status}, without sdk_name and sdk_version")
        return {
            "name": f"{health['sdk_name']} adapter",
            "version": f"{health['sdk_name']} {health['sdk_version']}",
            "capabilities": ["server_evaluation", "device_id"],
        }

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Give the service the definitions, and the adapter a new SDK."""
        loaded = self.service.load({"definitions": _everywhere(request["definitions"])})
        self.keys = [flag["key"] for flag in request["definitions"].get("flags", ())]
        config = {"api_key": self.service.token, "host": self.service.address}
        for path, body in (("/reset", {}), ("/init", config)):
            status, answer = self._asked(path, body)
            if status != http.client.OK:
                raise RuntimeError(f"POST {path}: status {status}, {str(answer)[:200]}")
        return loaded

    def evaluate(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask about every flag of the document, or those that were asked about."""
        person = _person(request["context"])
        asked = request.get("flag_keys")
        keys = [key for key in self.keys if asked is None or key in asked]
        return {"flags": {key: self._verdict(key, person) for key in keys}}

    def close(self) -> None:
        """End the service; the adapter is not ours to end."""
        self.service.close()

    def _verdict(self, key: str, person: dict[str, Any] | None) -> dict[str, Any]:
        if person is None or not key:
            return {"status": "inconclusive"}
        status, answer = self._asked("/get_feature_flag", {"key": key, **person, "disable_geoip": True, "force_remote": True})
        if status != http.client.OK or answer.get("success") is not True:
            return {"status": "failed"}
        value = answer.get("value")
        return {"status": "nothing"} if value is None else {"status": "value", "value": value, "value_only": True}

    def _asked(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        try:
            return self.adapter.ask("POST", path, body)
        except (OSError, http.client.HTTPException):
            self.close()
            os._exit(GONE)


def _person(context: dict[str, Any]) -> dict[str, Any] | None:
    """Return the context as the contract's fields carry it; None for somebody whom it cannot name."""
    identity = context["distinct_id"]
    if not isinstance(identity, str) or not identity:
        return None
    properties = {**context.get("person_properties", {})}
    if context.get("device_id"):
        properties["$device_id"] = context["device_id"]
    optional = {"person_properties": properties, **{name: context.get(name) for name in ("groups", "group_properties")}}
    return {"distinct_id": identity, **{name: value for name, value in optional.items() if value is not None}}


def _everywhere(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return definitions whose flags run anywhere: an SDK is a client or a server, and would be told of its own flags only."""
    served = copy.deepcopy(definitions)
    for flag in served.get("flags") or ():
        if isinstance(flag, dict) and flag.get("evaluation_runtime"):
            flag["evaluation_runtime"] = "all"
    return served


if __name__ == "__main__":
    serve(Driver(Adapter(sys.argv[1]), Service()))
