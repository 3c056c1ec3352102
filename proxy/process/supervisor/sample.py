"""Recent requests of a project, gathered from the workers for the canary. They are held for the length of one comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from proxy.definitions.canary import SAMPLE_SIZE, Asked
from proxy.process.control.messages import Sample

from .hub import Hub

_PATIENCE_S: Final = 2.0


async def recent_requests(hub: Hub, project: str) -> list[Asked]:
    """Ask every worker; one that does not answer, or not in this form, adds nothing."""
    workers = hub.answering()
    share = SAMPLE_SIZE // max(1, len(workers)) + 1
    replies = await hub.tell(workers, Sample(project, share), timeout_s=_PATIENCE_S)
    return [asked for _, done in replies if not done.refusal for asked in _read(done.detail.get("requests", ()))]


def _read(requests: Iterable[Any]) -> list[Asked]:
    try:
        return msgspec.convert(requests, list[Asked])
    except msgspec.ValidationError:
        return []
