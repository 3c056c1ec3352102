"""Exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    """Done; for `serve`: drained after SIGTERM or Ctrl-C."""
    FAILED = 1
    """A stop was forced (second signal, drain overdue), or something broke that should not."""
    CONFIG = 2
    """The configuration or the command line is wrong; each fault is on stderr with its place."""
    ADDRESS = 3
    """An address cannot be listened on: taken, privileged, or not this machine's."""
    OCCUPIED = 4
    """The runtime folder is in use by another instance, or unsafe."""
