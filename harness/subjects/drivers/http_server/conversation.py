"""Load, wait until it shows, ask: the same for every server.

Each document carries a flag of its own, on for everybody: an answer that has it comes from that document. No answer of an
earlier document can be taken for one of this: each has a token of its own where we may choose it, and every request says which
document it is about in a field that servers ignore and memories count as part of the question.
"""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from .faces import Face

LOAD_S: Final = 15.0
LOOK_S: Final = 0.02
UNDECIDED: Final = "evaluation_inconclusive"
MARKER: Final = "holdfast-load-"
FIELDS: Final = ("distinct_id", "person_properties", "groups", "group_properties", "device_id")
UNUSED: Final = 0
"""No id of a real flag."""


class Conversation:
    """One server, and which document it was given last."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._loads = 0
        self._looks = itertools.count()
        self._off: frozenset[str] = frozenset()
        self._live: frozenset[str] = frozenset()
        parts = urlsplit(face.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=LOAD_S)
        self._prefix = parts.path.rstrip("/")

    def describe(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Say what answers."""
        position = ("local_evaluation", "payloads") if self._face.is_local else ("server_evaluation", "payloads", "reasons")
        return {"name": self._face.name, "version": version("holdfast"), "capabilities": list(position)}

    def load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Put a document in force; returns when answers come from it."""
        self._loads += 1
        document = request["definitions"]
        live = {flag["key"]: flag.get("active") is not False and flag.get("deleted") is not True for flag in _keyed(document)}
        self._live = frozenset(key for key, is_live in live.items() if is_live)
        self._off = frozenset(live) - self._live
        self._face.put({**document, "flags": [*document["flags"], _marker(self._loads)]}, self._loads)
        deadline = time.monotonic() + LOAD_S
        while not self._shows():
            if time.monotonic() > deadline:
                raise RuntimeError("the server did not take the definitions up")
            time.sleep(LOOK_S)
        return {"ok": True}

    def evaluate(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask about one person."""
        context, asked = request["context"], request.get("flag_keys")
        body = {name: context[name] for name in FIELDS if name in context}
        status, text = self._post({**body, **({} if asked is None else {"flag_keys": asked})})
        if status != http.client.OK:
            raise RuntimeError(f"status {status}")
        records = json.loads(text)["flags"]
        flags = {key: self._verdict(record) for key, record in records.items() if not self._is_ours(key, record)}
        if self._face.is_local:  # what a local evaluator leaves out, it leaves to the service
            flags |= {key: {"status": "inconclusive"} for key in self._live - flags.keys() if asked is None or key in asked}
        return {"flags": flags}

    def _is_ours(self, key: str, record: Mapping[str, Any]) -> bool:
        """Tell what no evaluator says: the marker, and a flag that is off and said to be (sdks.md §2.4: browsers merge)."""
        return key.startswith(MARKER) or (self._face.is_local and key in self._off and record.get("enabled") is False)

    def _verdict(self, record: Mapping[str, Any]) -> dict[str, Any]:
        reason = record.get("reason") or {}
        if record.get("failed"):
            return {"status": "inconclusive" if reason.get("code") == UNDECIDED or self._face.is_local else "failed"}
        value = record["enabled"] if record.get("variant") is None else record["variant"]
        told = {"code": reason.get("code"), "condition_index": reason.get("condition_index")}
        verdict = {"status": "value", "value": value, "payload": (record.get("metadata") or {}).get("payload")}
        return verdict if self._face.is_local else {**verdict, "reason": told}

    def _shows(self) -> bool:
        status, text = self._post({"distinct_id": "a", "holdfast_look": next(self._looks)})
        if status != http.client.OK:
            return False
        return f"{MARKER}{self._loads}" in json.loads(text).get("flags", {})

    def _post(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        whole = {**body, "token": self._face.token(self._loads), "geoip_disable": True, "evaluation_runtime": "all"}
        text = json.dumps({**whole, "holdfast_load": self._loads})
        try:
            return self._send(text)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()  # an idle connection that was closed on us is no answer
            return self._send(text)

    def _send(self, text: str) -> tuple[int, bytes]:
        self._connection.request("POST", f"{self._prefix}/flags/?v=2", text, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, response.read()


def _keyed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [flag for flag in document["flags"] if isinstance(flag, dict) and isinstance(flag.get("key"), str)]


def _marker(number: int) -> dict[str, Any]:
    condition = {"properties": [], "rollout_percentage": 100}
    return {
        "id": UNUSED, "key": f"{MARKER}{number}", "name": "", "version": 1, "active": True, "deleted": False,
        "ensure_experience_continuity": False, "filters": {"groups": [condition]},
    }  # fmt: skip
