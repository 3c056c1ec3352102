"""Who accepts from which listener: each worker from its own, and from those of siblings that are away. Pure.

A listener without its worker keeps queueing callers; a sibling that takes it over saves them the second that a restart
needs, which is a third of what an SDK waits.
"""

from __future__ import annotations

from collections.abc import Collection


def assigned(present: Collection[int], *, workers: int) -> dict[int, tuple[int, ...]]:
    """Return, for each worker that is present, the listeners to accept from. With nobody present there is nobody to tell."""
    order = sorted(present)
    shares: dict[int, list[int]] = {index: [index] for index in order}
    orphans = [index for index in range(workers) if index not in shares]
    for turn, listener in enumerate(orphans if order else ()):
        shares[order[turn % len(order)]].append(listener)
    return {index: tuple(sorted(listeners)) for index, listeners in shares.items()}
