"""The port of every tier beyond memory. One that is slow, full or broken answers nothing and forgets; it fails no request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .record import Sealed, SealedPurge
from .sealing import Seals


class Tier(Protocol):
    """One place outside the process."""

    @property
    def name(self) -> str:
        """Return its name in metrics and labels."""
        ...

    @property
    def is_near(self) -> bool:
        """Tell whether it is asked beside an exchange, too; a tier across a network only when that failed."""
        ...

    @property
    def seals(self) -> Seals:
        """Return what its records are sealed with: an instance's own secret, or one that a fleet shares."""
        ...

    async def get(self, place: bytes) -> bytes | None:
        """Return the value under a sealed key, within the tier's own timeout; None when there is none, or no telling."""
        ...

    def offer(self, records: Sequence[Sealed]) -> None:
        """Take records to be written behind; never waits. What does not fit into the tier's bounds is dropped and counted."""
        ...

    async def purge(self, purge: SealedPurge) -> None:
        """Forget, what still waits to be written too. Returns within a second; what takes longer goes on behind."""
        ...

    def report(self) -> dict[str, Any]:
        """Return what is shown of it: plain numbers and words."""
        ...

    async def start(self) -> None:
        """Begin what runs behind."""
        ...

    async def close(self) -> None:
        """Write what waits, within a second, and give everything back."""
        ...
