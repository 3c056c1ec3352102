"""One project's sets: one owner of what is in use, what waits and what was refused.

Every accepted set gets a generation, is written to disk and handed on; when no disk takes it, it is handed on in memory and
written later. A set held back is accepted when its polls are over. A refused one stays out until upstream sends another or an
operator accepts it. What an operator rolled back from is not taken again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from proxy.clock import Clock
from proxy.definitions.admission import Accepted, Held, Reason, Refused, Verdict
from proxy.definitions.document import DefinitionsSet, parsed
from proxy.telemetry.logs import Logger
from reference.definitions.errors import DefinitionsError
from reference.definitions.model import Definitions

from .shelf import REFUSED_KEPT, Shelf
from .standing import SHOWN_DIGITS, Current, Turned, Waiting

ROLLED_BACK = Reason("rolled_back", "an operator rolled back from this set")
BOOT_GENERATION = 1
"""Below every accepted one, so that a worker which holds more keeps it."""


class Keeper:
    """The sets of one project. Whoever calls a coroutine of it holds `turn`.

    Attributes:
        current: What is in use; None: nothing yet.
        waiting: What is held back.
        turned: What was refused, newest last.
        seen: What upstream sent last, accepted or not: a 304 is about this.
        turn: One change at a time.
        hold_polls: How many polls a set is held back.
        floor: Generations of sets accepted here are above this: the latest that the fleet knows.
    """

    def __init__(self, shelf: Shelf, *, hold_polls: int, on_use: Callable[[Current], None], clock: Clock, log: Logger) -> None:
        self.current: Current | None = None
        self.waiting: Waiting | None = None
        self.turned: list[Turned] = []
        self.seen: DefinitionsSet | None = None
        self.turn = asyncio.Lock()
        self.hold_polls = hold_polls
        self.floor = 0
        self.shelf = shelf
        self._on_use = on_use
        self._clock = clock
        self._log = log
        self._barred: tuple[str, ...] = ()
        self._confirmed_at: float | None = None
        self._is_disk_failing = False

    async def load(self) -> None:
        """Take the newest generation on disk into use; it was admitted when it was written."""
        self._barred = await asyncio.to_thread(self.shelf.barred)
        found = await asyncio.to_thread(self.shelf.newest)
        definitions = None if found is None else _parsed(found)
        if found is not None and definitions is not None:
            self.seen = found
            self._put(Current(found, definitions, self.shelf.path(found.generation)))
            self._log.info("definitions_loaded", generation=found.generation, flags=len(definitions.flags))

    def boot(self, candidate: DefinitionsSet) -> bool:
        """Use a set of the boot source until upstream sends one; False when it cannot be used. It is not written."""
        definitions = _parsed(candidate)
        if definitions is None:
            return False
        self._put(Current(replace(candidate, generation=BOOT_GENERATION), definitions, is_provisional=True))
        self._log.info("definitions_booted", flags=len(definitions.flags))
        return True

    @property
    def barred(self) -> tuple[str, ...]:
        """Digests that an operator rolled back from, oldest first."""
        return self._barred

    @property
    def confirmed_at(self) -> float | None:
        """When upstream was last heard to have what is in use, on the monotonic clock; None: not in this life."""
        return self._confirmed_at

    def is_barred(self, candidate: DefinitionsSet) -> bool:
        """Tell whether an operator rolled back from this document."""
        return candidate.digest in self._barred

    def is_in_use(self, candidate: DefinitionsSet | None) -> bool:
        """Tell whether upstream has (or had) sent the very document in use."""
        current = self.current
        if candidate is None or current is None or current.is_provisional:
            return False
        return current.kept.digest == candidate.digest

    async def apply(self, candidate: DefinitionsSet, verdict: Verdict) -> None:
        """Do what a verdict says."""
        self.seen = candidate
        match verdict:
            case Accepted(definitions=definitions):
                await self._use(candidate, definitions)
            case Held(definitions=definitions, reason=reason):
                await self._hold(candidate, definitions, reason)
            case Refused(reason=reason):
                await self._refuse(candidate, reason)

    async def confirm(self) -> None:
        """Upstream still has what it sent last: fresh if that is in use, seen once more if it is held back."""
        if self.is_in_use(self.seen):
            self._confirmed_at, self.waiting = self._clock.monotonic(), None
        elif (waiting := self.waiting) is not None:
            await self._hold(waiting.candidate, waiting.definitions, waiting.reason)

    async def confirm_posted(self, digest: str) -> None:
        """Note that another instance heard upstream to have the document with this digest."""
        current, waiting = self.current, self.waiting
        if current is not None and not current.is_provisional and current.kept.digest == digest:
            self.seen = current.kept
            await self.confirm()
        elif waiting is not None and waiting.candidate.digest == digest:
            self.seen = waiting.candidate
            await self.confirm()

    async def adopt(self, decided: DefinitionsSet, barred: tuple[str, ...]) -> None:
        """Use what an operator chose at another instance, and refuse what was rolled back from there."""
        definitions = _parsed(decided)
        if definitions is None:
            return
        left = self.current
        await self._bar(barred)
        await self._use(decided, definitions)
        if left is not None and left.kept.digest in barred:
            self._turn_away(left.kept, ROLLED_BACK)

    async def accept(self, digest: str) -> str:
        """Use a set that waits or was refused: the latest whose digest starts so. Return why not, or nothing."""
        waiting = [] if self.waiting is None else [self.waiting.candidate]
        candidates = [*waiting, *(turned.candidate for turned in reversed(self.turned))]
        chosen = next((each for each in candidates if each.digest.startswith(digest)), None)
        if chosen is None:
            return "no such set waits or was refused"
        definitions = _parsed(chosen)
        if definitions is None:
            return "it is no definitions document"
        await self._bar(tuple(each for each in self._barred if each != chosen.digest))
        await self._use(chosen, definitions)
        return ""

    async def rollback(self, generation: int | None) -> str:
        """Use an earlier generation again: the given one, else the newest with another document. Return why not, or nothing."""
        current = self.current
        if current is None:
            return "nothing is held"
        chosen = await asyncio.to_thread(_earlier, self.shelf, current.kept, generation)
        definitions = None if chosen is None else _parsed(chosen)
        if chosen is None or definitions is None:
            return "there is no such earlier generation on disk that can be read"
        await self._bar((*self._barred, current.kept.digest))
        await self._use(replace(chosen, generation=0), definitions)
        self._turn_away(current.kept, ROLLED_BACK)  # so that it can be accepted again
        return ""

    async def save(self) -> None:
        """Write the set in use, if no disk has it yet. Trouble is logged once, and once when it is over."""
        current = self.current
        if current is None or current.path is not None or current.is_provisional:
            return
        try:
            path = await asyncio.to_thread(self.shelf.keep, current.kept)
        except OSError as error:
            if not self._is_disk_failing:
                self._log.error("definitions_not_written", reason=error.strerror)
            self._is_disk_failing = True
            return
        if self._is_disk_failing:
            self._log.info("definitions_written_again")
        self._is_disk_failing = False
        self.current = replace(current, path=path)

    def age_s(self) -> float | None:
        """Return how long ago upstream was last known to have the set in use, in seconds; None: there is none."""
        if self.current is None:
            return None
        if self._confirmed_at is not None:
            return self._clock.monotonic() - self._confirmed_at
        return max(0.0, self._clock.wall() - self.current.kept.fetched_at_wall)

    def _put(self, current: Current) -> None:
        self.current = current
        self._on_use(current)

    async def _use(self, candidate: DefinitionsSet, definitions: Definitions) -> None:
        """Take a set into use; one with a generation was accepted by another instance, and nobody heard upstream confirm it."""
        kept = replace(candidate, generation=await self._next_generation(candidate.generation))
        self.waiting = None
        self.turned = [turned for turned in self.turned if turned.candidate.digest != kept.digest]
        self._confirmed_at = None if candidate.generation else self._clock.monotonic()
        self.current = Current(kept, definitions)
        await self.save()
        self._on_use(self.current)
        self._log.info("definitions_accepted", generation=kept.generation, flags=len(definitions.flags))

    async def _hold(self, candidate: DefinitionsSet, definitions: Definitions, reason: Reason) -> None:
        polls = 1 if self.waiting is None else self.waiting.polls + 1
        if polls > self.hold_polls:
            self._log.warning("definitions_accepted_after_hold", reason=reason.code, polls=self.hold_polls)
            await self._use(candidate, definitions)
            return
        self.waiting = Waiting(candidate, definitions, reason, polls)
        self._log.warning("definitions_held", reason=reason.code, polls=polls, longest=self.hold_polls)

    async def _refuse(self, candidate: DefinitionsSet, reason: Reason) -> None:
        self.waiting = None
        if not self._turn_away(candidate, reason):
            return
        self._log.error("definitions_refused", reason=reason.code, digest=candidate.digest[:SHOWN_DIGITS])
        try:
            await asyncio.to_thread(self.shelf.keep_refused, candidate)
        except OSError as error:
            self._log.warning("refused_definitions_not_written", reason=error.strerror)

    def _turn_away(self, candidate: DefinitionsSet, reason: Reason) -> bool:
        """Put a set among the refused; False when it was there."""
        others = [turned for turned in self.turned if turned.candidate.digest != candidate.digest]
        is_new = len(others) == len(self.turned)
        self.turned = [*others, Turned(candidate, reason, self._clock.wall())][-REFUSED_KEPT:]
        return is_new

    async def _next_generation(self, given: int) -> int:
        """Return the generation given by another instance, or the Unix second; above all that are known in any case."""
        on_disk = await asyncio.to_thread(self.shelf.numbers)
        held = 0 if self.current is None else self.current.kept.generation
        known = (held, *on_disk) if given else (held, self.floor, *on_disk)
        return max(given or int(self._clock.wall()), *(number + 1 for number in known))

    async def _bar(self, digests: tuple[str, ...]) -> None:
        if digests == self._barred:
            return
        self._barred = digests
        try:
            await asyncio.to_thread(self.shelf.bar, digests)
        except OSError as error:
            self._log.warning("rollback_not_written", reason=error.strerror)


def _earlier(shelf: Shelf, held: DefinitionsSet, generation: int | None) -> DefinitionsSet | None:
    numbers = [number for number in shelf.numbers() if number < held.generation] if generation is None else [generation]
    found = (shelf.read(number) for number in numbers)
    return next((each for each in found if each is not None and each.digest != held.digest), None)


def _parsed(candidate: DefinitionsSet) -> Definitions | None:
    try:
        return parsed(candidate)
    except DefinitionsError:
        return None
