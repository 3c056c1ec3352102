"""Watching a process that may not be our child: has this very process ended? Standard library only.

Linux gives a descriptor for the process (pidfd), immune to reused pids and to zombies that nobody reaps. Elsewhere the
pid is asked.
"""

from __future__ import annotations

import os
import select


class Watched:
    """One process.

    Attributes:
        pid: Its id.
        exit_code: How it ended, a signal as its negative number; None while it runs and for whoever is not our child.
        descriptor: Readable once the process has ended; None where the system has no such thing and one must ask.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exit_code: int | None = None
        self.descriptor: int | None = None
        self._is_gone = False
        try:
            self.descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        except ProcessLookupError:
            self._is_gone = True
        except OSError:
            # A kernel or sandbox without pidfd: ask instead.
            self.descriptor = None

    def has_ended(self) -> bool:
        """Tell whether it has ended; reap it if it is our child."""
        if not self._is_gone:
            self._is_gone = self._ended()
        return self._is_gone

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def _ended(self) -> bool:
        try:
            found, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return self._stranger_ended()
        if found:
            self.exit_code = os.waitstatus_to_exitcode(status)
        return bool(found)

    def _stranger_ended(self) -> bool:
        if self.descriptor is not None:
            return _is_readable(self.descriptor)
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return True  # ours never change their user: this pid belongs to somebody else by now
        return False


def _is_readable(descriptor: int) -> bool:

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
