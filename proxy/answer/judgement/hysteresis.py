"""Is this 401, 402 or 403 real? A refusal of a key that worked before is compared with how upstream treats other keys.

| the key                                | other keys of the upstream               | so                                       |
|----------------------------------------|------------------------------------------|------------------------------------------|
| never worked here                      | –                                        | relayed                                  |
| worked, is refused `PROOFS` times more | one accepted before each of those        | real: relayed, until the key works       |
| worked before                          | refused too, silent, or there are none   | held `hysteresis_s`, then relayed        |
| worked again after a refusal           | –                                        | upstream wavers: held for a minute       |
| an operator revoked it                 | –                                        | relayed                                  |

Where nothing told it yet, upstream is asked at once: the last question of another key as a control, then the refused one
again, in turn. One refusal and one control would not do: an outage that refuses every other request looks like that as well.
What happened first is told by turns, not by time: two things may happen in one tick of the clock.
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

PROOFS: Final = 3
"""An outage that refuses a share p of all requests looks like a revoked key in (p (1 - p))³ of the cases: at most 1.6 %."""
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
    """One key that worked and is refused.

    Attributes:
        turn: In which it was refused last.
        since: When it was refused first, on the monotonic clock.
        proofs: How often it was refused after another key had been accepted since its last refusal.
        stance: What is made of that.
        held: Refusals held back.
    """

    turn: int
    since: float
    proofs: int = 0
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

    def refuse(self, request: FlagsRequest) -> None:
        """Note that upstream refused a request's key; of no interest where it never worked."""
        keys, key = self._upstreams.get(request.upstream), request.credential
        if keys is None or key not in keys.worked:
            return
        keys.turn += 1
        known = keys.refused.get(key)
        if known is None:
            keys.refused[key] = Refused(keys.turn, self._clock.monotonic())
            return
        known.proofs += keys.last_besides(key) > known.turn
        known.turn = keys.turn

    async def compare(self, request: FlagsRequest, ask: Ask) -> None:
        """Note a refusal, and have upstream tell what it is where nothing told it yet; to be followed by `weigh`."""
        self.refuse(request)
        keys = self._upstreams.get(request.upstream)
        refused = None if keys is None else keys.refused.get(request.credential)
        if keys is None or refused is None or not self._is_open(request, keys, refused):
            return
        keys.compared_at = self._clock.monotonic()
        while refused.proofs < PROOFS and await self._is_another_proof(request, keys, ask):
            pass
        if request.credential not in keys.refused:  # it worked meanwhile, and this one was refused all the same
            self.refuse(request)

    async def _is_another_proof(self, request: FlagsRequest, keys: Keys, ask: Ask) -> bool:
        control = _control(keys, besides=request.credential)
        if control is None or request.writes or not await self._accepts(control, request, ask):
            return False
        known = keys.refused.get(request.credential)
        before = 0 if known is None else known.proofs
        await self._accepts(request, request, ask)
        return known is not None and keys.refused.get(request.credential) is known and known.proofs > before

    async def _accepts(self, question: FlagsRequest, request: FlagsRequest, ask: Ask) -> bool:
        """Put a question to upstream, inside the deadline of the request it is asked for; learn from the answer."""
        deadline = min(request.deadline, self._clock.monotonic() + CONTROL_S)
        tried = await ask(replace(question, deadline=deadline, key=None))
        if tried.reading is not None:
            self.worked(question)
        elif tried.whole is not None and tried.whole.status in AUTH:
            self.refuse(question)
        return tried.reading is not None

    def weigh(self, request: FlagsRequest) -> Stance:
        """Return what is made of a refusal that was noted (`refuse`): HELD, or why it is relayed."""
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
        refused = None if keys is None else keys.refused.get(request.credential)
        if keys is None or refused is None:
            return Stance.REVOKED if request.project in self._revoked else Stance.UNKNOWN
        if refused.stance is Stance.HELD:
            self._reconsider(request, keys, refused)
        if refused.stance is Stance.HELD and not refused.held:
            self._say("refusals_held", request, refused)
        refused.held += refused.stance is Stance.HELD
        return refused.stance

    def _is_open(self, request: FlagsRequest, keys: Keys, refused: Refused) -> bool:
        """Tell whether nothing yet says what a refusal is, and a control may be asked for."""
        if refused.stance is not Stance.HELD or request.project in self._revoked:
            return False
        if refused.proofs >= PROOFS or self._is_contradicted(request, keys):
            return False
        return keys.compared_at is None or self._clock.monotonic() - keys.compared_at >= CONTROL_EVERY_S

    def _reconsider(self, request: FlagsRequest, keys: Keys, refused: Refused) -> None:
        if request.project in self._revoked:
            refused.stance = Stance.REVOKED
        elif self._clock.monotonic() - refused.since >= request.policy.hysteresis_s:
            refused.stance = Stance.EXPIRED
        elif refused.proofs >= PROOFS and not self._is_contradicted(request, keys):
            refused.stance = Stance.REAL
        else:
            return
        self._say("refusals_relayed", request, refused)

    def _is_contradicted(self, request: FlagsRequest, keys: Keys) -> bool:
        at = keys.contradicted.get(request.credential)
        return at is not None and self._clock.monotonic() - at < CONTRADICTED_S

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
