"""One project's poller: asks upstream for ever, and nothing that comes back, or fails to, ever ends it or empties what is held.

The key is read again before every poll, so that a rotated one is used at once; one that has become unreadable leaves the last
good one. While upstream refuses the key, its source is looked at every few seconds: a new key is tried without waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, TypeAlias

import msgspec

from proxy.clock import Clock
from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Definitions as Rules
from proxy.definitions.admission import Refused, Verdict, admit
from proxy.definitions.canary import Asked
from proxy.definitions.document import DefinitionsSet, definitions_set
from proxy.telemetry.logs import Logger

from .keeper import ROLLED_BACK, Keeper
from .pace import next_on_grid, offset_s, pause_after
from .source import Fetched, NotModified, Source, Trouble
from .standing import shown

KEY_LOOK_S: Final = 5.0
WARM_START_S: Final = 2.0
"""With a set from the disk the first poll follows within this, spread by project; with none it is made at once."""

Sample: TypeAlias = Callable[[], Awaitable[Sequence[Asked]]]
Boot: TypeAlias = Callable[[], Awaitable[bool]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Ports(msgspec.Struct, frozen=True):
    """What a poller uses and a test replaces.

    Attributes:
        source: Asks upstream.
        sample: Recent requests of this project.
        boot: Tries the boot source; True: something is held now.
        clock: Time.
        rng: Jitter.
        environ: Where keys are read from.
        log: Bound to the project.
        sleep: Waits.
    """

    source: Source
    sample: Sample
    boot: Boot
    clock: Clock
    rng: Random
    environ: Mapping[str, str]
    log: Logger
    sleep: Sleep = asyncio.sleep


class Poller:
    """One project's poller; what it learns goes to the keeper."""

    def __init__(self, project: str, token: str, *, rules: Rules, keeper: Keeper, ports: Ports) -> None:
        self.failures = 0
        self._project = project
        self._token = token
        self._rules = rules
        self._keeper = keeper
        self._ports = ports
        self._key: Secret | None = None
        self._trouble: Trouble | None = None
        self._polled_at: float | None = None
        self._due_at = self._started = ports.clock.monotonic()

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._ports.sleep(self.first_pause_s())
        while True:
            await self.rest(await self.poll())

    async def poll(self) -> float:
        """Ask once and do what the answer says, whatever goes wrong; return the pause until the next poll, in seconds."""
        try:
            return await self._poll()
        except Exception:
            self._ports.log.exception("poll_failed")
            return self._failed(Trouble("internal_error"))

    async def _poll(self) -> float:
        self._polled_at = self._ports.clock.monotonic()
        key = self._read_key()
        if key is None:
            return await self._missed(Trouble("key_unreadable", is_about_key=True))
        answer = await self._ports.source.fetch(token=self._token, key=key, etag=self._etag(), timeout_s=self._rules.timeout_s)
        if isinstance(answer, Trouble):
            return await self._missed(answer)
        async with self._keeper.turn:
            await self._take(answer)
            await self._keeper.save()
        return self._succeeded()

    def report(self) -> dict[str, Any]:
        """Return what is shown of this project."""
        keeper, now = self._keeper, self._ports.clock.monotonic()
        age = keeper.age_s()
        return {
            "age_s": None if age is None else round(age, 3),
            "polling": "not_yet" if self._polled_at is None else self._trouble.why if self._trouble else "ok",
            "failures": self.failures,
            "polled_s_ago": None if self._polled_at is None else round(now - self._polled_at, 3),
            "next_poll_s": round(max(0.0, self._due_at - now), 3),
            **shown(keeper.current, keeper.waiting, keeper.turned, on_disk=keeper.shelf.numbers()),
        }

    # --- what an answer does

    async def _take(self, answer: Fetched | NotModified) -> None:
        if isinstance(answer, NotModified):
            await self._keeper.confirm()
            return
        wall = self._ports.clock.wall()
        await self.consider(definitions_set(self._project, answer.body, etag=answer.etag, fetched_at_wall=wall))

    async def consider(self, candidate: DefinitionsSet) -> None:
        """Judge a set and do what the verdict says; whoever calls holds the keeper's `turn`."""
        if self._keeper.is_in_use(candidate):
            self._keeper.seen = candidate
            await self._keeper.confirm()
        else:
            await self._keeper.apply(candidate, await self._judge(candidate))

    async def _judge(self, candidate: DefinitionsSet) -> Verdict:
        if self._keeper.is_barred(candidate):
            return Refused(ROLLED_BACK)
        current = self._keeper.current
        # In a thread: a large set takes seconds, and the supervisor's loop has others to answer.
        return await asyncio.to_thread(
            admit,
            candidate,
            None if current is None else current.definitions,
            rules=self._rules,
            sample=await self._ports.sample(),
            now=datetime.fromtimestamp(self._ports.clock.wall(), UTC),
            is_provisional=current is not None and current.is_provisional,
        )

    def _succeeded(self) -> float:
        if self.failures:
            self._ports.log.info("definitions_reachable_again", failures=self.failures)
        self.failures, self._trouble = 0, None
        now, poll_s = self._ports.clock.monotonic(), self._rules.poll_s
        return next_on_grid(now, start=self._started, offset=offset_s(self._project, poll_s), poll_s=poll_s) - now

    async def _missed(self, trouble: Trouble) -> float:
        async with self._keeper.turn:
            if self._keeper.current is None:
                await self._ports.boot()
            await self._keeper.save()
        return self._failed(trouble)

    def _failed(self, trouble: Trouble) -> float:
        self.failures += 1
        if self._trouble is None or self._trouble.why != trouble.why:
            self._ports.log.warning("definitions_unreachable", reason=trouble.why, is_held=self._keeper.current is not None)
        self._trouble = trouble
        return pause_after(
            self.failures,
            poll_s=self._rules.poll_s,
            is_cold=self._keeper.current is None,
            wish_s=trouble.retry_after_s,
            draw=self._ports.rng.random(),
        )

    # --- when and with what

    @property
    def poll_s(self) -> float:
        """How often upstream is asked."""
        return self._rules.poll_s

    @property
    def ask_s(self) -> float:
        """How long asking may keep others from it: no longer than lets one of them have its turn within an interval."""
        return min(self._rules.timeout_s, self._rules.poll_s / 2)

    def first_pause_s(self) -> float:
        """Return the pause before the first poll."""
        if self._keeper.current is None:
            return 0.0
        return offset_s(self._project, min(WARM_START_S, self._rules.poll_s))

    async def rest(self, pause: float) -> None:
        """Wait; while upstream refuses the key, only until there is another."""
        clock = self._ports.clock
        self._due_at = clock.monotonic() + pause
        while (left := self._due_at - clock.monotonic()) > 0:
            is_about_key = self._trouble is not None and self._trouble.is_about_key
            await self._ports.sleep(min(left, KEY_LOOK_S) if is_about_key else left)
            if self.has_new_key():
                return

    def _etag(self) -> str | None:
        """Ask for news of what upstream sent last, whatever became of it: a set that waits or was refused is not sent again."""
        return None if self._keeper.seen is None else self._keeper.seen.etag

    def _read_key(self) -> Secret | None:
        found = read_secret(self._rules.key, self._ports.environ)
        if isinstance(found, Secret):
            self._key = found
        elif self._key is not None:
            self._ports.log.warning("definitions_key_unreadable", reason=found)
        return self._key

    def has_new_key(self) -> bool:
        """Tell whether upstream refuses the key, and there is another now."""
        if self._trouble is None or not self._trouble.is_about_key:
            return False
        found = read_secret(self._rules.key, self._ports.environ)
        return isinstance(found, Secret) and found != self._key
