"""Is this 401, 402 or 403 real? A refusal of a key that worked before is compared with how upstream treats other keys.

| the key                       | other keys of the upstream                 | so                                             |
|-------------------------------|--------------------------------------------|------------------------------------------------|
| never worked here             | –                                          | relayed                                        |
| worked before                 | one of them is accepted since              | real: relayed at once, until the key works     |
| worked before                 | refused too, silent, or there are none     | an outage: held `hysteresis_s`, then relayed   |
| worked again after a refusal  | –                                          | upstream contradicts itself: held for a minute |
| an operator revoked it        | –                                          | relayed                                        |

A control is asked for when none spoke: the last question of another key is put to upstream once more, one in
`CONTROL_EVERY_S`. What happened first is told by turns, not by time: two things may happen in one tick of the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from proxy.answer.request import FlagsRequest, ProjectName, UpstreamName
from proxy.clock import Clock
from proxy.telemetry.logs import Logger
from proxy.upstream.origin import Tried

CONTROL_EVERY_S: Final = 10.0
CONTROL_S: Final = 1.0
"""Longest wait for a control; the caller waits inside its own deadline."""
CONTRADICTED_S: Final = 60.0
MOST_KEYS: Final = 10_000
MOST_CONTROLS: Final = 16
LONGEST_CONTROL_BYTES: Final = 16_384
AUTH: Final = frozenset({401, 402, 403})

Ask = Callable[[FlagsRequest], Awaitable[Tried]]


class Stance(StrEnum):
    """What is made of a refusal: a closed vocabulary, also of metrics."""

    UNKNOWN = "unknown"
    HELD = "held"
    REAL = "real"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Refused(msgspec.Struct):
    """One key that worked and is refused: since which turn and instant, what is made of that, and how many were held."""

    turn: int
    since: float
    stance: Stance = Stance.HELD
    held: int = 0


class Keys(msgspec.Struct):
    """How one upstream treats keys.

    Attributes:
        turn: Counts what happens.
        worked: Key → the turn in which it last worked.
        refused: Keys that worked before.
        contradicted: Key → when it worked again after having been refused.
        controls: Key → the last question that it was answered, to ask again.
        latest: The key that worked last; `other` the last one besides it.
        compared_at: When a control was last asked for.
    """

    turn: int = 0
    worked: dict[int, int] = msgspec.field(default_factory=dict)
    refused: dict[int, Refused] = msgspec.field(default_factory=dict)
    contradicted: dict[int, float] = msgspec.field(default_factory=dict)
    controls: dict[int, FlagsRequest] = msgspec.field(default_factory=dict)
    latest: int = 0
    other: int = 0
    compared_at: float | None = None

    def last_besides(self, key: int) -> int:
        """Return the turn in which any other key last worked; 0: none ever did."""
        return self.worked.get(self.other if self.latest == key else self.latest, 0)


class Hysteresis:
    """Weighs refusals. `stances`: how often what was made of one."""

    def __init__(self, *, clock: Clock, log: Logger | None = None) -> None:
        self.stances: Counter[tuple[ProjectName, Stance]] = Counter()
        self._upstreams: dict[UpstreamName, Keys] = {}
        self._revoked: set[ProjectName] = set()
        self._clock = clock
        self._log = log

    def worked(self, request: FlagsRequest) -> None:
        """Note that upstream accepted a request's key."""
        key = request.credential
        if not key:
            return
        keys = self._upstreams.get(request.upstream)
        if keys is None:
            keys = self._upstreams[request.upstream] = Keys()
        keys.turn += 1
        if key not in keys.worked and len(keys.worked) >= MOST_KEYS:
            _forget(keys, next(iter(keys.worked)))
        keys.worked[key] = keys.turn
        if key != keys.latest:
            keys.latest, keys.other = key, keys.latest
            _keep_as_control(keys, request)
        if keys.refused and keys.refused.pop(key, None) is not None:
            self._end(request, keys)

    async def compare(self, request: FlagsRequest, ask: Ask) -> None:
        """Have another key's treatment tell what a refusal is, where nothing told it yet."""
        keys = self._upstreams.get(request.upstream)
        refused = None if keys is None else self._surprising(request, keys)
        if keys is None or refused is None or not self._is_open(request, keys, refused):
            return
        control, now = _control(keys, besides=request.credential), self._clock.monotonic()
        if control is None:
            return
        keys.compared_at = now
        tried = await ask(replace(control, deadline=min(request.deadline, now + CONTROL_S), key=None))
        if tried.reading is not None:
            self.worked(control)
        elif tried.whole is not None and tried.whole.status in AUTH:
            self._refuse(control, keys)

    def weigh(self, request: FlagsRequest) -> Stance:
        """Return what is made of a refusal: HELD, or why it is relayed."""
        stance = self._weigh(request)
        self.stances[request.project, stance] += 1
        return stance

    def revoke(self, project: ProjectName) -> None:
        """Relay every refusal of a project's keys from now on, until one of them works: an operator knows them to be real."""
        self._revoked.add(project)

    def forget_questions(self) -> None:
        """Forget the questions kept as controls: each is somebody's."""
        for keys in self._upstreams.values():
            keys.controls.clear()

    def _weigh(self, request: FlagsRequest) -> Stance:
        keys = self._upstreams.get(request.upstream)
        refused = None if keys is None else self._surprising(request, keys)
        if keys is None or refused is None:
            return Stance.REVOKED if request.project in self._revoked else Stance.UNKNOWN
        if refused.stance is Stance.HELD:
            self._reconsider(request, keys, refused)
        if refused.stance is Stance.HELD and not refused.held:
            self._say("refusals_held", request, refused)
        refused.held += refused.stance is Stance.HELD
        return refused.stance

    def _surprising(self, request: FlagsRequest, keys: Keys) -> Refused | None:
        if request.credential not in keys.worked:
            return None
        return self._refuse(request, keys)

    def _refuse(self, request: FlagsRequest, keys: Keys) -> Refused:
        known = keys.refused.get(request.credential)
        if known is None:
            keys.turn += 1
            known = keys.refused[request.credential] = Refused(keys.turn, self._clock.monotonic())
        return known

    def _is_open(self, request: FlagsRequest, keys: Keys, refused: Refused) -> bool:
        """Tell whether nothing yet says what a refusal is, and a control may be asked for."""
        if refused.stance is not Stance.HELD or request.project in self._revoked:
            return False
        if keys.last_besides(request.credential) > refused.turn:
            return False
        return keys.compared_at is None or self._clock.monotonic() - keys.compared_at >= CONTROL_EVERY_S

    def _reconsider(self, request: FlagsRequest, keys: Keys, refused: Refused) -> None:
        now = self._clock.monotonic()
        contradicted_at = keys.contradicted.get(request.credential)
        is_contradicted = contradicted_at is not None and now - contradicted_at < CONTRADICTED_S
        if request.project in self._revoked:
            refused.stance = Stance.REVOKED
        elif now - refused.since >= request.policy.hysteresis_s:
            refused.stance = Stance.EXPIRED
        elif not is_contradicted and keys.last_besides(request.credential) > refused.turn:
            refused.stance = Stance.REAL
        else:
            return
        self._say("refusals_relayed", request, refused)

    def _end(self, request: FlagsRequest, keys: Keys) -> None:
        if len(keys.contradicted) >= MOST_KEYS:
            keys.contradicted.clear()
        keys.contradicted[request.credential] = self._clock.monotonic()
        self._revoked.discard(request.project)

    def _say(self, event: str, request: FlagsRequest, refused: Refused) -> None:
        if self._log is not None:
            for_s = round(self._clock.monotonic() - refused.since, 1)
            self._log.warning(event, project=request.project, stance=refused.stance.value, for_s=for_s)


def _forget(keys: Keys, key: int) -> None:
    keys.worked.pop(key, None)
    keys.refused.pop(key, None)
    keys.controls.pop(key, None)


def _keep_as_control(keys: Keys, request: FlagsRequest) -> None:
    if request.writes or request.key is None or len(request.body) > LONGEST_CONTROL_BYTES:
        return
    keys.controls.pop(request.credential, None)
    if len(keys.controls) >= MOST_CONTROLS:
        del keys.controls[next(iter(keys.controls))]
    keys.controls[request.credential] = request


def _control(keys: Keys, *, besides: int) -> FlagsRequest | None:
    """Return the question to ask again: the latest one of a key that is not refused itself."""
    return next((keys.controls[key] for key in reversed(keys.controls) if key != besides and key not in keys.refused), None)
