"""Remote config inside a flags answer, and the answers without flags (contract §3.6, §3.8, §1.2).

Config is the project's own JSON, copied as it is into the top level; only quota and session replay are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from reference.json import Json, JsonObject

from .record import Envelope
from .render import RESERVED, render
from .shape import Shape

FEATURE_FLAGS: Final = "feature_flags"
RECORDINGS: Final = "recordings"

MINI_CONFIG: Final[JsonObject] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "config": {"enable_collect_everything": True},
    "toolbarParams": {},
    "isAuthenticated": False,
    "sessionRecording": False,
}
"""What a GET, or a bot, receives instead of flags."""

FALLBACK_CONFIG: Final[JsonObject] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "surveys": False,
    "heatmaps": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "isAuthenticated": False,
    "toolbarParams": {},
    "config": {"enable_collect_everything": True},
}
"""What stands in for a project's config that is not in the cache; deliberately without a token."""


def fallback_config(*, has_flags: bool) -> JsonObject:
    """Give the safe minimal config of a cache miss."""
    return {**FALLBACK_CONFIG, "hasFeatureFlags": has_flags}


def merge_config(envelope: Envelope, config: Mapping[str, Json], *, replay_over_quota: bool = False) -> Envelope:
    """Merge remote config into the top level of an answer.

    An array `quotaLimited` of the config replaces the answer's. With session replay over quota `sessionRecording` becomes
    false and `recordings` joins `quotaLimited`. Flags are never taken from config.
    """
    limited = envelope.quota_limited
    extra = {name: value for name, value in config.items() if name not in RESERVED and name not in _IDENTITY}
    theirs = extra.pop("quotaLimited", None)
    if isinstance(theirs, list | tuple):
        limited = tuple(str(name) for name in theirs)
    if replay_over_quota:
        extra["sessionRecording"] = False
        limited = limited if RECORDINGS in limited else (*limited, RECORDINGS)
    return msgspec.structs.replace(envelope, quota_limited=limited, extra={**envelope.extra, **extra})


def mini_answer(shape: Shape, *, request_id: str, evaluated_at: int) -> bytes:
    """Write the answer to a GET or to a bot: no flags, the fixed mini-config."""
    envelope = Envelope(request_id=request_id, evaluated_at=evaluated_at)
    return render({}, merge_config(envelope, MINI_CONFIG), shape)


def quota_envelope(envelope: Envelope) -> Envelope:
    """Mark an answer as over the feature-flag quota: no error bit, flags are to be left out."""
    return msgspec.structs.replace(envelope, errors=False, quota_limited=(FEATURE_FLAGS,))


_IDENTITY: Final = frozenset({"requestId", "evaluatedAt", "minimalFlagCalledEvents"})
