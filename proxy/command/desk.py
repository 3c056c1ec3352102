"""The operators' listener as a command calls it: found through the configuration, one JSON call at a time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from msgspec import Struct

from proxy.config.load import load
from proxy.config.problem import Problems
from proxy.config.secret import Secret, read_secret

_PATIENCE_S: Final = 15.0


class Trouble(Struct, frozen=True):
    """Why a call came to nothing; `is_ours`: the configuration or the command line is at fault."""

    reason: str
    is_ours: bool = False


class Desk(Struct, frozen=True):
    """Where to call, and the token to show."""

    url: str
    token: Secret | None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one call; return the parsed answer, or `Trouble`."""
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data=content, headers=headers, method=method)  # noqa: S310  an operator's own URL
        try:
            # No proxy from the environment: the token is for this listener alone.
            with build_opener(ProxyHandler({})).open(request, timeout=_PATIENCE_S) as answer:
                return json.load(answer)
        except HTTPError as error:
            return Trouble(f"refused ({error.code}): {_reason(error)}")
        except (URLError, TimeoutError) as error:
            return Trouble(f"nobody answers at {self.url}: {getattr(error, 'reason', error)}")
        except ValueError:
            return Trouble(f"{self.url} does not speak as the operators' listener does")


def found(config: Path | None, url: str | None) -> Desk | Trouble:
    """Find the listener: at `url`, else where the configuration puts it; the token is the configuration's."""
    loaded = load(config, os.environ)
    if isinstance(loaded, Problems):
        return Trouble(f"the configuration is refused:\n{loaded}", is_ours=True)
    admin = loaded.settings.admin
    token = None if admin.token is None else read_secret(admin.token, os.environ)
    if isinstance(token, str):
        return Trouble(f"admin.token: {token}", is_ours=True)
    if url is None and not admin.port:
        return Trouble("admin.port names no fixed port; give --admin URL (the `listening` log line has it)", is_ours=True)
    return Desk((url or f"http://{admin.host}:{admin.port}").rstrip("/"), token)


def _reason(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return error.reason
