"""An application that uses posthog-python: carries out one JSON line after the other. Only the host is ours to choose.

Runs in the SDK's own environment. Times are those of the SDK's call alone; events are dropped where the SDK hands them over, so
that every request is about flags.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from posthog import Posthog  # type: ignore[import-not-found]
from posthog.version import VERSION  # type: ignore[import-not-found]

POLL_NEVER_S = 86_400
clients: dict[str, Any] = {}
errors: list[str | None] = []


def _drop(event: dict[str, Any]) -> None:
    errors.append(event["properties"].get("$feature_flag_error"))


def start(name: str, host: str, token: str, key: str | None = None) -> dict[str, Any]:
    """Construct a client, as an application does when it starts."""
    clients[name] = Posthog(token, host=host, secret_key=key, before_send=_drop, poll_interval=POLL_NEVER_S)
    return {}


def one(name: str, person: dict[str, Any], flag: str) -> dict[str, Any]:
    """Ask for one flag; `told` is what the SDK's event says went wrong."""
    errors.clear()
    value = clients[name].get_feature_flag(flag, **person)
    return {"value": value, "told": errors[-1] if errors else None}


def everything(name: str, person: dict[str, Any], *, local: bool = False) -> dict[str, Any]:
    """Ask for all flags."""
    return {"flags": clients[name].get_all_flags(**person, only_evaluate_locally=local) or {}}


def poll(name: str) -> dict[str, Any]:
    """Fetch the definitions now, and wait until that is done."""
    clients[name].load_feature_flags()
    return {}


def describe() -> dict[str, Any]:
    """Say which version this is."""
    return {"version": VERSION}


OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "start": start,
    "one": one,
    "all": everything,
    "poll": poll,
    "describe": describe,
}


def main() -> None:
    """Answer every line with a line."""
    protocol, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        operation = OPERATIONS[request.pop("op")]
        began = time.monotonic()
        try:
            answer = operation(**request)
        except Exception as error:  # noqa: BLE001 — the matrix tells what application code would have to catch
            answer = {"raised": type(error).__name__}
        protocol.write(json.dumps({**answer, "seconds": time.monotonic() - began}) + "\n")
        protocol.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
