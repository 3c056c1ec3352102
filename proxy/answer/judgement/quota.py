"""Over quota is a billing decision: relayed, unless the operator configured a grace.

In the grace, which begins with the first such answer of a project and ends after `quota_grace_s` at the latest, another source
answers. An answer within quota ends it; the next one over quota begins another.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec import Raw

from proxy.answer.request import FlagsRequest, ProjectName
from proxy.answer.shape import QUOTA, Reading
from proxy.clock import Clock
from proxy.telemetry.logs import Logger

_NAME: Final = QUOTA.encode()


class QuotaGrace:
    """Weighs answers over quota. `held`: how many were held back, by project."""

    def __init__(self, *, clock: Clock, log: Logger | None = None) -> None:
        self.held: Counter[ProjectName] = Counter()
        self._since: dict[ProjectName, float] = {}
        self._clock = clock
        self._log = log

    def is_held(self, request: FlagsRequest, reading: Reading) -> bool:
        """Tell whether a flags answer is over quota and another source should answer."""
        if not is_over_quota(reading):
            self._since.pop(request.project, None)
            return False
        grace_s = request.policy.quota_grace_s
        if grace_s <= 0:
            return False
        now = self._clock.monotonic()
        since = self._since.get(request.project)
        if since is None:
            since = self._since[request.project] = now
            if self._log is not None:
                self._log.warning("over_quota_grace_begins", project=request.project, for_s=grace_s)
        if now - since >= grace_s:
            return False
        self.held[request.project] += 1
        return True


def is_over_quota(reading: Reading) -> bool:
    """Tell whether an answer says that the project's flag requests are over quota (contract §3.8)."""
    return type(reading.quota_limited) is Raw and _NAME in bytes(reading.quota_limited)
