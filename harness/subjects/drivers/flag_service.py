"""The embedded flag service behind the JSON lines protocol: what the reference answers after a trip over HTTP.

Starts `python -m reference.service` on an ephemeral port and hands it documents as its operators do, by changing its file. Each
document has a token of its own, so an answer that is not 401 comes from that document. A server knows everything there is:
the subject evaluates with nothing stored, and says so in its capabilities.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

POLL_S = 0.02
LOAD_S = 10.0
UNDECIDED = "evaluation_inconclusive"


class Driver:
    """One service, its definitions file, and one kept-alive connection."""

    def __init__(self) -> None:
        self.file = Path(tempfile.mkdtemp()) / "definitions.json"
        self.loads = 0
        self._write({"flags": [], "group_type_mapping": {}, "cohorts": {}})
        module = ("-m", "reference.service", "--definitions", str(self.file), "--port", "0", "--poll-s", str(POLL_S))
        self.process = subprocess.Popen([sys.executable, *module], stdout=subprocess.PIPE, text=True)  # noqa: S603 — our own module
        assert self.process.stdout is not None
        address = self.process.stdout.readline().split()[-1].removeprefix("http://")
        self.address = f"http://{address}"
        self.connection = http.client.HTTPConnection(address, timeout=LOAD_S)

    def describe(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": "flag-service",
            "version": version("holdfast"),
            "capabilities": ["server_evaluation", "payloads", "reasons"],
        }

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        self._write(request["definitions"])
        deadline = time.monotonic() + LOAD_S
        while self._post({"distinct_id": "a"})[0] == http.client.UNAUTHORIZED:
            if time.monotonic() > deadline:
                raise RuntimeError("the service did not take the definitions up")
            time.sleep(POLL_S / 2)
        return {"ok": True}

    def evaluate(self, request: dict[str, Any]) -> dict[str, Any]:
        context = request["context"]
        names = ("distinct_id", "person_properties", "groups", "group_properties", "device_id")
        body = {name: context[name] for name in names if name in context}
        asked = request.get("flag_keys")
        status, text = self._post({**body, "geoip_disable": True, **({} if asked is None else {"flag_keys": asked})})
        if status != http.client.OK:
            raise RuntimeError(f"status {status}: {text[:200].decode(errors='replace')}")
        return {"flags": {key: _verdict(record) for key, record in json.loads(text)["flags"].items()}}

    def close(self) -> None:
        """End the service and remove its file."""
        self.process.terminate()
        self.process.wait()
        self.file.unlink(missing_ok=True)
        self.file.parent.rmdir()

    def _write(self, definitions: dict[str, Any]) -> None:
        self.loads += 1
        beside = self.file.with_suffix(".next")
        beside.write_text(json.dumps({**definitions, "service": {"tokens": [self.token]}}))
        beside.replace(self.file)

    @property
    def token(self) -> str:
        """The token of the document loaded last."""
        return f"phc_load_{self.loads}"

    def _post(self, body: dict[str, Any]) -> tuple[int, bytes]:
        text = json.dumps({**body, "token": self.token, "evaluation_runtime": "all"})
        self.connection.request("POST", "/flags/?v=2", text, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        return response.status, response.read()


def _verdict(record: dict[str, Any]) -> dict[str, Any]:
    reason = record.get("reason") or {}
    if record.get("failed"):
        return {"status": "inconclusive" if reason.get("code") == UNDECIDED else "failed"}
    value = record["enabled"] if record.get("variant") is None else record["variant"]
    told = {"code": reason.get("code"), "condition_index": reason.get("condition_index")}
    return {"status": "value", "value": value, "payload": (record.get("metadata") or {}).get("payload"), "reason": told}


class Carries(Protocol):
    """Whoever carries the operations of the line protocol out."""

    def describe(self, request: dict[str, Any], /) -> dict[str, Any]:
        """Say who is there."""
        ...

    def load(self, request: dict[str, Any], /) -> dict[str, Any]:
        """Take definitions."""
        ...

    def evaluate(self, request: dict[str, Any], /) -> dict[str, Any]:
        """Answer about one person."""
        ...

    def close(self) -> None:
        """End what was started."""


def answer(driver: Carries, line: str) -> dict[str, Any]:
    """Carry out one line; never raises."""
    request: Any = {}
    try:
        request = json.loads(line)
        operation = {"describe": driver.describe, "load": driver.load, "evaluate": driver.evaluate}[request["op"]]
        return {"id": request.get("id"), **operation(request)}
    except Exception as error:  # noqa: BLE001 — the protocol: a driver answers every line
        identity = request.get("id") if isinstance(request, dict) else None
        return {"id": identity, "error": {"kind": type(error).__name__, "message": str(error)}}


def serve(driver: Carries) -> None:
    """Answer standard input line by line until it ends; the service ends with us."""
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(answer(driver, line)) + "\n")
            sys.stdout.flush()
    finally:
        driver.close()


if __name__ == "__main__":
    serve(Driver())
