"""The form of every answer of the admin face: JSON that nobody keeps."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web


def as_json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return a value as an answer."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json", headers=headers)
