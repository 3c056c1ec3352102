"""One instance among those that share a project's definitions: whether it is its turn to ask upstream, and what was posted.

The lease is renewed at every look, four times an interval, and lasts two and a half looks; so when the holder dies, another has
it within one interval. While Redis does not answer, everybody is alone: each asks for itself, as without Redis.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

import msgspec

from proxy.clock import Clock
from proxy.definitions.document import Unreadable
from proxy.shared.link import Link, Trouble
from proxy.telemetry.logs import Logger

from .posting import Posted, Seal
from .scripts import BOARD_S, POST, REST, TURN, names_of

LOOKS: Final = 4
LONGEST_LOOK_S: Final = 5.0
LEASE_LOOKS: Final = 2.5
PATIENCE_S: Final = 2.0
"""For one command: no request waits for it, and a set can be large."""

_BOARD_MS: Final = BOARD_S * 1000


class Role(StrEnum):
    """Who asks upstream."""

    ALONE = "alone"
    LEADER = "leader"
    FOLLOWER = "follower"


class Head(msgspec.Struct, frozen=True):
    """What the board says of the set posted last, as `scripts` describes; empty where nothing is posted."""

    generation: int = 0
    digest: str = ""
    confirmed: str = ""
    tried: str = ""


class Member:
    """One instance's part for one project.

    Attributes:
        look_s: How often the board is looked at.
        role: As of the last look.
        head: What the board said then.
        takeovers: How often it came to lead.
        posts: Sets posted.
        unusable: Postings that did not check.
    """

    def __init__(self, project: str, *, link: Link, seal: Seal, prefix: str, poll_s: float, clock: Clock, log: Logger) -> None:
        self.look_s = min(LONGEST_LOOK_S, poll_s / LOOKS)
        self.role = Role.ALONE
        self.head = Head()
        self.takeovers = self.posts = self.unusable = 0
        self._project = project
        self._link = link
        self._seal = seal
        self._names = names_of(prefix, project)
        self._clock = clock
        self._log = log
        self._me = secrets.token_hex(16)
        self._stands_back_until = 0.0

    async def met(self) -> None:
        """Wait until Redis is there, but not long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._link.there()

    async def turn(self, *, ask_s: float | None) -> Role:
        """Look, and take or keep the lease if it is to be had; `ask_s`: how long asking upstream may take, if it is due."""
        lasts_s = LEASE_LOOKS * self.look_s if ask_s is None else ask_s + self.look_s
        may_take = self._clock.monotonic() >= self._stands_back_until
        stamp = "" if ask_s is None else self._stamp()
        said = await self._run(TURN, self._me, _ms(lasts_s), "1" if may_take else "0", stamp, _BOARD_MS)
        if isinstance(said, Trouble):
            return self._becomes(Role.ALONE)
        is_mine, generation, *texts = said
        self.head = Head(int(generation), *(text.decode() for text in texts))
        return self._becomes(Role.LEADER if is_mine else Role.FOLLOWER)

    async def read(self) -> Posted | Unreadable | Trouble:
        """Return what is posted, or why it is nothing."""
        content = await self._link.ask(lambda client: client.hget(self._names[1], "content"), timeout_s=PATIENCE_S)
        if isinstance(content, Trouble):
            return content
        posted = self._seal.open(self._project, content) if isinstance(content, bytes) else Unreadable("nothing is posted")
        if isinstance(posted, Unreadable):
            self.unusable += 1
            self._log.error("shared_definitions_unusable", reason=posted.reason)
        return posted

    async def post(self, posted: Posted, *, is_confirmed: bool) -> bool:
        """Post a set, or say that it still holds; False when it is not taken: another leads, or something later is there."""
        stamp = self._stamp() if is_confirmed else ""
        said, generation = b"unknown", self.head.generation
        if posted.kept.digest == self.head.digest and not posted.is_decided:
            said = await self._say(posted, b"", stamp)
        if said == b"unknown":
            said, generation = await self._say(posted, self._seal.seal(posted), stamp), posted.kept.generation
            self.posts += said == b"done"
        if said == b"not_leader":
            self._becomes(Role.FOLLOWER)
        if said != b"done":
            return False
        self.head = Head(generation, posted.kept.digest, stamp or self.head.confirmed, self.head.tried)
        return True

    async def stand_back(self, pause_s: float) -> None:
        """After a poll that failed: nobody asks for so long, and then, if there is another, not we."""
        self._stands_back_until = self._clock.monotonic() + pause_s + 2 * self.look_s
        if self.role is Role.LEADER:
            await self._run(REST, self._me, _ms(pause_s))
            self._becomes(Role.FOLLOWER)

    def report(self) -> dict[str, Any]:
        """Return what is shown."""
        return {"role": self.role.value, "takeovers": self.takeovers, "posts": self.posts, "unusable": self.unusable}

    async def _say(self, posted: Posted, content: bytes, stamp: str) -> bytes:
        kept, decided = posted.kept, "1" if posted.is_decided else "0"
        said = await self._run(POST, self._me, decided, kept.generation, kept.digest, content, stamp, _BOARD_MS)
        return b"" if isinstance(said, Trouble) else bytes(said)

    async def _run(self, script: str, *arguments: str | int | bytes) -> Any:
        return await self._link.ask(
            lambda client: client.eval(script, len(self._names), *self._names, *arguments),
            timeout_s=PATIENCE_S,
        )

    def _becomes(self, role: Role) -> Role:
        if role is not self.role:
            self.takeovers += role is Role.LEADER
            self._log.info("definitions_role", role=role.value)
        self.role = role
        return role

    def _stamp(self) -> str:
        return f"{self._clock.wall():.3f}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
