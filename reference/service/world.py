"""What every route is handed: the projects in force, what requests wrote, the clock and the source of identifiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from .project.memory import Memory
from .project.project import Catalogue

Clock = Callable[[], datetime]
NewId = Callable[[], UUID]


class World:
    """The service's state. `catalogue` is replaced as a whole by a reload; `memory` stays."""

    def __init__(self, catalogue: Catalogue, *, clock: Clock, new_id: NewId, memory: Memory | None = None) -> None:
        self.catalogue = catalogue
        self.clock = clock
        self.new_id = new_id
        self.memory = memory or Memory()

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock().timestamp() * 1000)

    def request_id(self, given: str | None) -> str:
        """Return the caller's request id when it is a UUID, else a fresh one (contract §1.6)."""
        try:
            return str(UUID(given or ""))
        except ValueError:
            return str(self.new_id())
