"""Which path leads where: the routes of contract §1.1, each with and without a trailing slash."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import msgspec

from .reply import Call, Reply
from .routes.capture import answer_capture
from .routes.definitions import answer_definitions
from .routes.flags import answer_flags
from .routes.inspect import CALLS, EVENTS, answer_inspect
from .routes.remote_config import answer_remote_config
from .routes.site import (
    answer_asset,
    answer_config,
    answer_config_script,
    answer_early_access,
    answer_surveys,
    answer_text,
)
from .world import World

Answer = Callable[[World, Call], Reply]

EXACT: Final[dict[str, Answer]] = {
    "": answer_text,
    "/_readiness": answer_text,
    "/_liveness": answer_text,
    "/_startup": answer_text,
    "/flags": answer_flags,
    "/decide": answer_flags,
    "/flags/definitions": answer_definitions,
    "/api/feature_flag/local_evaluation": answer_definitions,
    "/api/surveys": answer_surveys,
    "/api/early_access_features": answer_early_access,
    **dict.fromkeys(("/batch", "/e", "/i/v0/e", "/capture", "/track", "/engage", "/s"), answer_capture),
}
TEST_FACE: Final[dict[str, Answer]] = {EVENTS: answer_inspect, CALLS: answer_inspect}
PATTERNS: Final[tuple[tuple[re.Pattern[str], Answer], ...]] = (
    (re.compile(r"/api/projects/[^/]+/feature_flags/([^/]+)/remote_config"), answer_remote_config),
    (re.compile(r"/array/([^/]+)/config"), answer_config),
    (re.compile(r"/array/([^/]+)/config\.js"), answer_config_script),
    (re.compile(r"/static/(.+)"), answer_asset),
)
NOT_FOUND: Final = Reply(404)


def answer(world: World, call: Call, *, has_test_face: bool) -> Reply:
    """Answer one call; an unknown path is an empty 404."""
    path = call.path.removesuffix("/")
    found = EXACT.get(path) or (TEST_FACE.get(path) if has_test_face else None)
    if found is not None:
        return found(world, call)
    for pattern, answer_pattern in PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            return answer_pattern(world, msgspec.structs.replace(call, parameter=unquote(match[1])))
    return NOT_FOUND
