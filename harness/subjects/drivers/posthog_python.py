"""posthog-python's own local evaluator behind the JSON lines protocol.

Runs in the SDK's environment, not in ours: only the standard library and `posthog` are imported. Definitions reach the SDK as
they do in an application, by polling: the driver serves the loaded document on loopback and asks the SDK to poll. Where a
request names `context.now`, that is what the evaluator's clock says: its module is given a `datetime` of ours.
"""

import datetime as dt
import json
import logging
import os
import sys
import threading
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from posthog import Posthog, feature_flags  # type: ignore[import-not-found]
from posthog.version import VERSION  # type: ignore[import-not-found]

POLL_NEVER_S = 86_400


class Document:
    """The definitions that the endpoint serves; `served` is the version the SDK has fetched."""

    version = 0
    served = 0
    body = b'{"flags":[],"group_type_mapping":{},"cohorts":{}}'


class Definitions(BaseHTTPRequestHandler):
    """`GET /flags/definitions` with an ETag, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        etag = f'W/"{Document.version}"'
        unchanged = self.headers.get("If-None-Match") == etag
        body = b"" if unchanged else Document.body
        Document.served = Document.version
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it
        """Stay silent."""


class Errors(logging.Handler):
    """Counts the SDK's own error records: that is how it reports an evaluator that raised."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 — the base class names it
        self.count += 1


class Clock(dt.datetime):
    """`datetime.datetime` as the evaluator sees it: `now` is the instant that the request names, else this machine's."""

    instant: dt.datetime | None = None

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        if Clock.instant is None:
            return dt.datetime.now(tz)
        return Clock.instant.astimezone(tz) if tz else Clock.instant.astimezone().replace(tzinfo=None)


def take_over_the_clock() -> bool:
    """Put `Clock` where the evaluator reads the time; False where this version reads it elsewhere."""
    if getattr(feature_flags, "datetime", None) is not dt:
        return False
    clocked = types.ModuleType("datetime")
    clocked.__dict__.update({**vars(dt), "datetime": Clock})
    feature_flags.datetime = clocked
    return True


class Driver:
    """One SDK client and its definitions endpoint."""

    def __init__(self) -> None:
        self.capabilities = ["local_evaluation", "payloads", "device_id", *(["clock"] if take_over_the_clock() else [])]
        server = ThreadingHTTPServer(("127.0.0.1", 0), Definitions)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.errors = Errors()
        logging.getLogger("posthog").addHandler(self.errors)
        logging.getLogger("posthog").propagate = False
        host = f"http://127.0.0.1:{server.server_port}"
        self.client = Posthog(
            "phc_driver",
            host=host,
            secret_key="phx_driver",  # noqa: S106 — the loopback endpoint asks for none
            send=False,
            poll_interval=POLL_NEVER_S,
            sync_mode=True,
        )

    def describe(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"name": "posthog-python", "version": VERSION, "capabilities": self.capabilities}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        Document.body = json.dumps(request["definitions"]).encode()
        Document.version += 1
        self.client.load_feature_flags()
        if Document.served != Document.version:
            raise RuntimeError("the SDK did not fetch the definitions")
        return {"ok": True}

    def evaluate(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = request.get("flag_keys")
        if asked == []:
            return {"flags": {}}  # The SDK takes an empty list for no filter.
        now = request["context"].get("now")
        Clock.instant = None if now is None else dt.datetime.fromisoformat(now)
        before = self.errors.count
        flags = self._ask(request["context"], asked)
        raised = self.errors.count > before
        for flag in self.client.feature_flag_definitions() or []:
            key = flag["key"]
            if key not in flags and (asked is None or key in asked):
                flags[key] = self._declined(request["context"], key) if raised else {"status": "inconclusive"}
        return {"flags": flags}

    def _ask(self, context: dict[str, Any], keys: list[str] | None) -> dict[str, Any]:
        result = self.client.get_all_flags_and_payloads(
            context["distinct_id"],
            groups=context.get("groups"),
            person_properties=context.get("person_properties"),
            group_properties=context.get("group_properties"),
            device_id=context.get("device_id"),
            flag_keys_to_evaluate=keys,
            only_evaluate_locally=True,
        )
        payloads = result["featureFlagPayloads"] or {}
        return {
            key: {"status": "value", "value": value, "payload": payloads.get(key)}
            for key, value in (result["featureFlags"] or {}).items()
        }

    def _declined(self, context: dict[str, Any], key: str) -> dict[str, str]:
        """Some flag of this person raised: find out whether it was this one."""
        before = self.errors.count
        self._ask(context, [key])
        return {"status": "failed" if self.errors.count > before else "inconclusive"}


def answer(driver: Driver, line: str) -> dict[str, Any]:
    """Carry out one line; never raises."""
    request: Any = {}
    try:
        request = json.loads(line)
        operation = {"describe": driver.describe, "load": driver.load, "evaluate": driver.evaluate}[request["op"]]
        return {"id": request.get("id"), **operation(request)}
    except Exception as error:  # noqa: BLE001 — the protocol: a driver answers every line
        identity = request.get("id") if isinstance(request, dict) else None
        return {"id": identity, "error": {"kind": type(error).__name__, "message": str(error)}}


def main() -> None:
    """Answer standard input line by line until it ends."""
    protocol, sys.stdout = sys.stdout, sys.stderr  # Whatever the SDK prints must not look like an answer.
    driver = Driver()
    for line in sys.stdin:
        protocol.write(json.dumps(answer(driver, line)) + "\n")
        protocol.flush()
    protocol.flush()
    os._exit(0)  # The SDK's threads and exit hooks have nothing left to do.


if __name__ == "__main__":
    main()
