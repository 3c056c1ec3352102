"""File descriptors: as many as the system lets us have, and never more connections than fit below that."""

from __future__ import annotations

import resource
from typing import Final

FEWEST_CONNECTIONS: Final = 16


def raise_file_limit() -> int:
    """Raise RLIMIT_NOFILE to its hard limit and return it; what cannot be raised is returned as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # an unlimited hard limit is refused on some systems
            return soft
    return hard


def connections_within(files: int, *, wanted: int, reserved: int) -> int:
    """Return how many client connections to accept so that `reserved` descriptors stay free for everything else."""
    return max(FEWEST_CONNECTIONS, min(wanted, files - reserved))
