"""Instances that share a Redis, stepped by hand in virtual time: whoever is due next has the next step."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from proxy.config.settings import Definitions as Rules
from proxy.config.settings import SecretSource
from proxy.definitions.upkeep.fleet.member import Member, Role
from proxy.definitions.upkeep.fleet.posting import Seal
from proxy.definitions.upkeep.fleet.turns import Turns
from proxy.definitions.upkeep.keeper import Keeper
from proxy.definitions.upkeep.poller import Poller, Ports
from proxy.definitions.upkeep.shelf import Shelf
from proxy.definitions.upkeep.standing import Current
from proxy.shared.link import Link

from .board import FakeBoard
from .clock import FakeClock
from .definitions import KEY, FakeSource, Lines

SECRET = b"s" * 32


class Ahead:
    """A clock that agrees about durations, and not about what time it is."""

    def __init__(self, clock: FakeClock, ahead_s: float) -> None:
        self._clock = clock
        self._ahead_s = ahead_s

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wall(self) -> float:
        return self._clock.wall() + self._ahead_s


class Instance:
    """One supervisor's side of one project.

    Attributes:
        is_frozen: It has no steps; it does not know that.
    """

    def __init__(
        self, fleet: FakeFleet, number: int, source: FakeSource, folder: Path, *, secret: bytes, ahead_s: float, **rules: Any
    ) -> None:
        self.lines = Lines()
        self.source = source
        source.clock = fleet.clock
        self.used: list[Current] = []
        self.is_frozen = False
        self.environ = {"KEY": KEY}
        self.rules = Rules(**{"key": SecretSource(env="KEY"), **rules})
        clock = Ahead(fleet.clock, ahead_s)
        self.keeper = Keeper(
            Shelf(folder, "shop", generations=5),
            hold_polls=self.rules.hold_polls,
            on_use=self.used.append,
            clock=clock,
            log=self.lines.log,
        )
        self.link = Link(fleet.board, timeout_s=1, clock=clock, rng=Random(1), log=self.lines.log, is_there=True)  # type: ignore[arg-type]
        member = Member(
            "shop",
            link=self.link,
            seal=Seal(secret),
            prefix="holdfast",
            poll_s=self.rules.poll_s,
            clock=clock,
            log=self.lines.log,
        )

        async def sample() -> list[Any]:
            return []

        async def boot() -> bool:
            return False

        ports = Ports(
            source=source,
            sample=sample,
            boot=boot,
            clock=clock,
            rng=Random(number),
            environ=self.environ,
            log=self.lines.log,
        )
        self.poller = Poller("shop", "phc_shop", rules=self.rules, keeper=self.keeper, ports=ports)
        self.turns = Turns(self.poller, member, keeper=self.keeper, ports=ports)
        self.due_at = fleet.clock.now

    @property
    def role(self) -> Role:
        return self.turns.member.role

    @property
    def polls(self) -> list[float]:
        """When upstream was asked."""
        return [at for at, _ in self.source.asked]

    def held(self) -> set[str]:
        current = self.keeper.current
        return set() if current is None else {each.key for each in current.definitions.flags if each.active}

    def generations(self) -> list[int]:
        """Of every set that came into use, in order."""
        return [each.kept.generation for each in self.used]


class FakeFleet:
    """Instances 0, 1, … in front of one upstream."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.clock = FakeClock()
        self.board = FakeBoard(self.clock)
        self.instances: list[Instance] = []
        self._folder = folder
        self._rules = rules

    def join(self, say: Any, *, secret: bytes = SECRET, ahead_s: float = 0.0, **rules: Any) -> Instance:
        number = len(self.instances)
        folder = self._folder / str(number)
        made = Instance(self, number, FakeSource(say), folder, secret=secret, ahead_s=ahead_s, **{**self._rules, **rules})
        self.instances.append(made)
        return made

    async def spend(self, seconds: float) -> None:
        """Let time pass; an instance whose step is late because it was frozen has it at once."""
        until = self.clock.now + seconds
        while True:
            awake = [each for each in self.instances if not each.is_frozen]
            first = min(awake, key=lambda each: each.due_at, default=None)
            if first is None or first.due_at > until:
                self.clock.now = until
                return
            self.clock.now = max(self.clock.now, first.due_at)
            first.due_at = self.clock.now + max(0.001, await first.turns.step())

    def redis(self, *, is_up: bool) -> None:
        self.board.is_up = is_up
        for each in self.instances:
            each.link.is_there = is_up  # what its own task finds out

    def polls(self) -> list[float]:
        return sorted(at for each in self.instances for at in each.polls)

    def leaders(self) -> list[int]:
        return [number for number, each in enumerate(self.instances) if each.role is Role.LEADER]
