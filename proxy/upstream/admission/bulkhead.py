"""A bulkhead: at most so many exchanges with one upstream at a time, so that a slow one cannot take the worker with it.

A project has at most its share of the places, so that one project's slow answers leave room for the others'. Who finds no
place waits for a moment in a short queue, first come, first served among those whose project has a place left; who waited in
vain, and whom the queue has no room for, is refused and gets its answer from another source. A place is handed from who leaves
to who waits: nobody who comes later can take it first.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Final

from proxy.answer.answer import Failure, Trouble
from proxy.answer.request import ProjectName

SHED_RETRY_AFTER_S: Final = 1.0


class _Waiter:
    __slots__ = ("place", "project")

    def __init__(self, project: ProjectName, place: asyncio.Future[bool]) -> None:
        self.project = project
        self.place = place  # True: it is yours; False: no more waiting


class Bulkhead:
    """Places for exchanges under way.

    Attributes:
        taken: Places taken now.
        queued: How many ever had to wait.
        refused: How many got no place.
    """

    def __init__(self, *, places: int, project_places: int | None = None, queue: int = 0) -> None:
        self._places = places
        self._project_places = project_places or places
        self._has_shares = self._project_places < places
        self._longest = queue
        self._queue: deque[_Waiter] = deque()
        self._by_project: dict[ProjectName, int] = {}
        self.taken = 0
        self.queued = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._queue)

    def enter(self, project: ProjectName) -> bool:
        """Take a place if there is one. Who entered must `leave`."""
        if not self._has_place(project):
            return False
        self._take(project)
        return True

    async def wait(self, project: ProjectName, *, wait_s: float) -> Failure | None:
        """Wait for a place at most so long and take it; a `Failure` when there was none. Who entered must `leave`."""
        if len(self._queue) >= self._longest or wait_s <= 0:
            return self.refusal()
        loop = asyncio.get_running_loop()
        waiter = _Waiter(project, loop.create_future())
        self._queue.append(waiter)
        self.queued += 1
        timer = loop.call_later(wait_s, self._give_up, waiter)
        try:
            has_place = await waiter.place
        except BaseException:
            self._withdraw(waiter)
            raise
        finally:
            timer.cancel()
        return None if has_place else self.refusal()

    def leave(self, project: ProjectName) -> None:
        """Give the place back; it goes to the first in the queue who may have it."""
        self.taken -= 1
        if self._has_shares:
            if self._by_project[project] > 1:
                self._by_project[project] -= 1
            else:
                del self._by_project[project]
        if self._queue:
            self._hand_on()

    def refusal(self) -> Failure:
        """Count a refusal and say it."""
        self.refused += 1
        return Failure(trouble=Trouble.SHED, retry_after_s=SHED_RETRY_AFTER_S, no_byte_received=True)

    def _has_place(self, project: ProjectName) -> bool:
        if self.taken >= self._places:
            return False
        return not self._has_shares or self._by_project.get(project, 0) < self._project_places

    def _take(self, project: ProjectName) -> None:
        self.taken += 1
        if self._has_shares:
            self._by_project[project] = self._by_project.get(project, 0) + 1

    def _hand_on(self) -> None:
        for waiter in self._queue:
            is_gone = waiter.place.done()  # cancelled; its task just had no turn yet to leave the queue
            if not is_gone and self._has_place(waiter.project):
                self._queue.remove(waiter)
                self._take(waiter.project)
                waiter.place.set_result(True)
                return

    def _give_up(self, waiter: _Waiter) -> None:
        if not waiter.place.done():
            self._queue.remove(waiter)
            waiter.place.set_result(False)

    def _withdraw(self, waiter: _Waiter) -> None:
        """Undo what a caller that went away had asked for: its turn, or the place that it just got."""
        if waiter.place.cancelled():
            self._queue.remove(waiter)
        elif waiter.place.result():
            self.leave(waiter.project)


def share(places: int, ratio: float) -> int:
    """Return a project's places: its ratio of all, rounded up."""
    return max(1, math.ceil(places * ratio))
