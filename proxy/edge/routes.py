"""Where everything but the flag endpoints goes: health, definitions, relay, passthrough, or nowhere.

Paths are compared exactly, as they came. A path that only means one of ours once its escapes are decoded is refused, so that no
spelling walks around the token allow-list.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from . import replies
from .definitions.endpoint import Definitions
from .guard.targets import Target, is_below, read_target
from .health import Health
from .through.passthrough import Passthrough
from .through.relay import Relay

FLAGS: Final = frozenset({"/flags", "/flags/", "/decide", "/decide/"})
"""The flag endpoints; `handlers` owns them."""
DEFINITIONS: Final = frozenset({
    "/flags/definitions", "/flags/definitions/", "/api/feature_flag/local_evaluation", "/api/feature_flag/local_evaluation/",
})  # fmt: skip
OURS: Final = ("/_holdfast",)
_REMOTE_CONFIG: Final = ("api", "projects", None, "feature_flags", None, "remote_config")


class Others:
    """The handler of every path that is not a flag endpoint."""

    def __init__(self, *, relay: Relay, definitions: Definitions, passthrough: Passthrough, health: Health) -> None:
        self._relay = relay
        self._definitions = definitions
        self._passthrough = passthrough
        self._health = health

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        target = read_target(request.raw_path)
        if target is None:
            is_asterisk = request.method == "OPTIONS" and request.raw_path == "*"
            return replies.preflight(request) if is_asterisk else replies.text(request, HTTPStatus.BAD_REQUEST)
        if target.meant != target.path and is_known(target.meant) and not is_relayed(target.path):
            return replies.text(request, HTTPStatus.BAD_REQUEST)
        if is_below(target.path, OURS):
            return await self._health.handle(request, target.path)
        if is_relayed(target.path):
            return replies.preflight(request) if request.method == "OPTIONS" else await self._relayed(request, target)
        return await self._passthrough.handle(request, target)

    async def _relayed(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        if target.path in DEFINITIONS:
            return await self._definitions.handle(request, target)
        return await self._relay.handle(request, target)


def is_relayed(path: str) -> bool:
    """Tell whether a path is one of definitions or remote config."""
    return path in DEFINITIONS or is_remote_config(path)


def is_remote_config(path: str) -> bool:
    """Tell whether a path is `/api/projects/{project}/feature_flags/{key}/remote_config`, with or without a last slash."""
    segments = path[1:].removesuffix("/").split("/")
    return len(segments) == len(_REMOTE_CONFIG) and all(
        want in (None, segment) and segment for want, segment in zip(_REMOTE_CONFIG, segments, strict=True)
    )


def is_known(path: str) -> bool:
    """Tell whether a decoded path is one that only its plain spelling may reach."""
    return path in FLAGS or is_relayed(path) or is_below(path, OURS)
