"""One project's polling among others: look at the board, take what is new there, and ask upstream only when it is our turn.

What another accepted goes through the same admission here as what upstream sends, except where an operator decided. It counts
when it was accepted later than what is held, or when upstream has since been heard to have it still; a board that nobody has
touched since, found again after Redis was away, changes nothing.
"""

from __future__ import annotations

from typing import Any, Final

from proxy.definitions.upkeep.keeper import Keeper
from proxy.definitions.upkeep.poller import Poller, Ports
from proxy.shared.link import Trouble

from .member import Head, Member, Role
from .posting import Posted

COLD_LOOK_S: Final = 0.5
FORGOTTEN_S: Final = 1000.0
"""A lease whose holder asks nobody for so long (more than the longest pause that upstream can ask for) is not respected."""


class Turns:
    """One project's poller in a fleet."""

    def __init__(self, poller: Poller, member: Member, *, keeper: Keeper, ports: Ports) -> None:
        self.member = member
        self._poller = poller
        self._keeper = keeper
        self._ports = ports
        self._due_at = self._alive_at = ports.clock.monotonic()
        self._late_s = 0.0
        self._seen: Head | None = None

    async def run(self) -> None:
        """Poll, or follow, until cancelled."""
        self._due_at += self._poller.first_pause_s()
        while True:
            try:
                pause = await self.step()
            except Exception:
                self._ports.log.exception("poll_failed")
                pause = self.member.look_s
            await self._poller.rest(pause)

    async def boot(self) -> bool:
        """Take what is posted, before anybody is asked for anything; True: something is held now."""
        await self.member.met()
        await self.member.turn(ask_s=None)
        await self._take_news()
        return self._keeper.current is not None

    async def decided(self) -> bool:
        """Post what an operator has just put in use here, for all; False when Redis does not take it."""
        current = self._keeper.current
        if current is None:
            return False
        return await self.member.post(Posted(current.kept, is_decided=True, barred=self._keeper.barred), is_confirmed=False)

    async def step(self) -> float:
        """Look, and do what is to be done now; return the pause until the next look, in seconds."""
        role = await self.member.turn(ask_s=self._poller.ask_s if self._is_due() or self._poller.has_new_key() else None)
        if role is not Role.ALONE:
            await self._take_news()
        if not self._may_ask(role):
            return self._pause()
        confirmed_at = self._keeper.confirmed_at
        pause = await self._poller.poll()
        self._due_at, self._late_s = self._ports.clock.monotonic() + pause, 0.0
        if self._poller.failures:
            await self.member.stand_back(pause)
        elif role is Role.LEADER:
            await self._post(is_confirmed=self._keeper.confirmed_at != confirmed_at)
        return self._pause()

    def report(self) -> dict[str, Any]:
        """Return what is shown of this project."""
        return {**self._poller.report(), "fleet": self.member.report()}

    # --- whose turn it is

    def _is_due(self) -> bool:
        return self._ports.clock.monotonic() >= self._due_at

    def _may_ask(self, role: Role) -> bool:
        if self._poller.has_new_key():
            return True  # upstream refused the one before; nobody else may have it yet
        now = self._ports.clock.monotonic()
        match role:
            case Role.LEADER:
                return now >= self._due_at
            case Role.ALONE:
                return now >= self._due_at + self._late_s
            case Role.FOLLOWER:
                return now >= max(self._due_at, self._alive_at + FORGOTTEN_S)

    def _pause(self) -> float:
        look_s = self.member.look_s if self._keeper.current is not None else min(self.member.look_s, COLD_LOOK_S)
        if self.member.role is Role.FOLLOWER:
            return look_s
        due_at = self._due_at + (self._late_s if self.member.role is Role.ALONE else 0.0)
        return min(look_s, max(0.0, due_at - self._ports.clock.monotonic()))

    # --- what others say, and what they are told

    async def _take_news(self) -> None:
        head, seen = self.member.head, self._seen
        is_confirmed = seen is not None and head.confirmed not in {"", seen.confirmed}
        if seen is None or (head.confirmed, head.tried) != (seen.confirmed, seen.tried):
            self._alive_at = self._ports.clock.monotonic()
        self._keeper.floor = head.generation
        if self._is_news(head, is_confirmed=is_confirmed) and not await self._take():
            return  # Redis did not say; the next look tries again
        self._seen = head
        if is_confirmed:
            await self._confirm(head)

    def _is_news(self, head: Head, *, is_confirmed: bool) -> bool:
        current, seen = self._keeper.current, self._seen
        is_new = seen is None or (head.generation, head.digest) != (seen.generation, seen.digest)
        if not head.digest or not (is_new or is_confirmed) or self._waits_for(head):
            return False
        if current is None or current.is_provisional:
            return True
        return head.digest != current.kept.digest and (is_confirmed or head.generation > current.kept.generation)

    def _waits_for(self, head: Head) -> bool:
        """Tell whether it is held back already: what counts then is that it is seen again."""
        return self._keeper.waiting is not None and self._keeper.waiting.candidate.digest == head.digest

    async def _take(self) -> bool:
        posted = await self.member.read()
        if isinstance(posted, Trouble):
            return False
        if isinstance(posted, Posted):
            async with self._keeper.turn:
                if posted.is_decided:
                    await self._keeper.adopt(posted.kept, posted.barred)
                else:
                    await self._poller.consider(posted.kept)
                await self._keeper.save()
        return True

    async def _confirm(self, head: Head) -> None:
        """Upstream was heard, by another, to have this."""
        poll_s = self._poller.poll_s
        self._due_at, self._late_s = self._ports.clock.monotonic() + poll_s, self._ports.rng.random() * poll_s / 2
        async with self._keeper.turn:
            await self._keeper.confirm_posted(head.digest)
            await self._keeper.save()

    async def _post(self, *, is_confirmed: bool) -> None:
        current = self._keeper.current
        if current is None or current.is_provisional:
            return
        if await self.member.post(Posted(current.kept, barred=self._keeper.barred), is_confirmed=is_confirmed):
            self._seen = self.member.head  # our own word is no news
