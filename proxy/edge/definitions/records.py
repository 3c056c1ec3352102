"""Which keys upstream accepted for what, as one worker knows it: bounded, by HMAC, never by key.

A record is made only by an upstream answer, its own or one that a sibling or an earlier life of this instance got. A dropped
record stays dropped: news older than the drop does not bring it back. Looked up by an HMAC under a secret of ours, so the time
of a look-up says nothing about any key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from proxy.clock import Clock
from proxy.definitions.acceptance import Opening
from proxy.process.control.messages import KeyAccepted, KeyRevoked

from .verdict import ENOUGH, SELDOM_S, SPREAD_S

MOST: Final = 10_000
"""Records, and drops remembered, per worker; the ones not confirmed for longest go first."""

News: TypeAlias = KeyAccepted | KeyRevoked


class Record(msgspec.Struct):
    """One accepted opening.

    Attributes:
        accepted_at: When upstream last accepted it, monotonic seconds.
        refused_since: When upstream began to refuse it, if its last answer was a refusal that is doubted.
        refused_at: When upstream last refused it.
        refusals: How often in a row, as long as no other key was refused too.
        counted_since: When the first of these was.
        tried_at: When upstream was last asked about it in vain.
        polled_at: When its caller last came.
        pace_s: How long before that it had come; 0 while that is not known.
    """

    accepted_at: float
    refused_since: float | None = None
    refused_at: float | None = None
    refusals: int = 0
    counted_since: float = 0.0
    tried_at: float | None = None
    polled_at: float | None = None
    pace_s: float = 0.0

    def polled(self, now: float) -> None:
        """Its caller comes."""
        self.pace_s = 0.0 if self.polled_at is None else now - self.polled_at
        self.polled_at = now

    def refuse(self, now: float) -> None:
        """Upstream refused it."""
        self.refused_since = now if self.refused_since is None else self.refused_since
        self.counted_since = self.counted_since if self.refusals else now
        self.refusals += 1
        self.refused_at = now

    def discount(self) -> None:
        """Another key was refused too: what was counted so far may be the outage's."""
        self.refusals = 0

    @property
    def comes_seldom(self) -> bool:
        """Its caller comes too seldom to be refused over and over within five minutes."""
        return self.pace_s > SELDOM_S

    @property
    def is_refused_repeatedly(self) -> bool:
        """It was refused often enough, over long enough, to be no coincidence."""
        is_spread = self.refused_at is not None and self.refused_at - self.counted_since >= SPREAD_S
        return self.refusals >= ENOUGH and (is_spread or self.comes_seldom)


class Records:
    """One worker's records.

    Attributes:
        tell: Is told what this worker learnt from upstream, for its siblings and for later lives.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.tell: Callable[[News], object] = lambda _: None
        self._clock = clock
        self._records: dict[Opening, Record] = {}
        self._dropped: dict[Opening, float] = {}
        self._renewals: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, opening: Opening) -> Record | None:
        """Return the record of an opening, however old."""
        return self._records.get(opening)

    def renewal(self, project: str) -> int:
        """Return which renewal a project's tags belong to (`etags`): the Unix second of the last relayed 402, or 0."""
        return self._renewals.get(project, 0)

    def is_any_accepted(self, *, since: float, but: Callable[[Opening], bool]) -> bool:
        """Tell whether upstream accepted any opening since an instant, those excepted for which `but` holds."""
        return any(record.accepted_at >= since and not but(opening) for opening, record in self._records.items())

    def accept(self, opening: Opening) -> None:
        """Upstream has just accepted an opening, about which its caller asked."""
        record = self._put(opening, self._clock.monotonic())
        record.polled_at = record.accepted_at if record.polled_at is None else record.polled_at
        self._dropped.pop(opening, None)
        self.tell(KeyAccepted(*opening, wall_time=self._clock.wall(), renewal=self.renewal(opening.project)))

    def drop(self, opening: Opening, *, is_quota: bool) -> None:
        """Upstream's refusal of an opening is being passed on; `is_quota`: it is a 402, which starts a new renewal."""
        if is_quota:
            self._renewals[opening.project] = max(self.renewal(opening.project) + 1, int(self._clock.wall()))
        was_known = self._records.pop(opening, None) is not None
        if was_known:  # made-up keys would push the drops of real ones out
            self._remember_drop(opening)
        if was_known or is_quota:
            self.tell(KeyRevoked(*opening, renewal=self.renewal(opening.project)))

    def learn(self, news: News) -> None:
        """Take what a sibling, an earlier life or an operator says. A revocation without a key is about the whole project."""
        self._renewals[news.project] = max(self.renewal(news.project), news.renewal)
        opening = Opening(news.hmac, news.project, news.token_hmac, news.endpoint)
        if isinstance(news, KeyAccepted):
            self._learn_acceptance(opening, news.wall_time)
        elif news.hmac:
            self._forget(opening)
        else:
            for each in [each for each in self._records if each.project == news.project]:
                self._forget(each)

    def _learn_acceptance(self, opening: Opening, wall_time: float) -> None:
        age_s = max(0.0, self._clock.wall() - wall_time)
        held, dropped_wall = self._records.get(opening), self._dropped.get(opening)
        accepted_at = self._clock.monotonic() - age_s
        is_news = held is None or accepted_at > held.accepted_at
        if is_news and (dropped_wall is None or wall_time > dropped_wall):
            self._put(opening, accepted_at)

    def _put(self, opening: Opening, accepted_at: float) -> Record:
        before = self._records.pop(opening, None) or Record(accepted_at)
        made = self._records[opening] = Record(accepted_at, polled_at=before.polled_at, pace_s=before.pace_s)
        while len(self._records) > MOST:
            del self._records[next(iter(self._records))]
        return made

    def _forget(self, opening: Opening) -> None:
        self._records.pop(opening, None)
        self._remember_drop(opening)

    def _remember_drop(self, opening: Opening) -> None:
        self._dropped.pop(opening, None)
        self._dropped[opening] = self._clock.wall()
        while len(self._dropped) > MOST:
            del self._dropped[next(iter(self._dropped))]
