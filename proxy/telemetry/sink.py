"""Where log lines go: a descriptor that is never waited for. Standard library only: the launcher writes here too.

A log collector that stops reading must not stop us, and a pipe that we share must not be made non-blocking for everybody
else. So the descriptor is opened a second time (Linux), or written to with "don't wait" (sockets, journald's for one). What
does not fit is dropped and counted, and the count is told as soon as there is room. Elsewhere writes are plain ones.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from typing import TypeAlias

Write: TypeAlias = Callable[[bytes], int]


class Sink:
    """Whole lines to one descriptor.

    Attributes:
        dropped: Lines lost since the last time there was room.
        close: Gives back what was opened beside the descriptor itself.
    """

    def __init__(self, write: Write, close: Callable[[], None] | None = None) -> None:
        self.dropped = 0
        self.close = close or _nothing
        self._write = write
        self._rest = b""

    def line(self, line: bytes) -> None:
        """Write one line in one call, so that lines of several processes do not mix (up to the pipe's atomic 4096 bytes)."""
        self._rest = self._rest[self._taken(self._rest) :] if self._rest else b""
        content = self._notice() + line + b"\n"
        taken = 0 if self._rest else self._taken(content)
        if taken:
            self._rest = content[taken:]
            self.dropped = 0
        else:
            self.dropped += 1

    def _notice(self) -> bytes:
        return b'{"level":"warning","event":"log_lines_dropped","count":%d}\n' % self.dropped if self.dropped else b""

    def _taken(self, content: bytes) -> int:
        """Return how many bytes were taken; 0: no room. A reader that is gone takes everything: nobody is left to tell."""
        try:
            return self._write(content)
        except BlockingIOError:
            return 0
        except OSError:
            return len(content)


def opened(descriptor: int) -> Sink:
    """Return a sink on a descriptor; one that is closed swallows everything."""
    try:
        is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return Sink(len)
    if is_socket:
        journal = socket.socket(fileno=os.dup(descriptor))
        return Sink(lambda content: journal.send(content, socket.MSG_DONTWAIT), journal.close)
    try:
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND)
    except OSError:
        return Sink(lambda content: os.write(descriptor, content))
    return Sink(lambda content: os.write(own, content), lambda: os.close(own))


def _nothing() -> None:
    """Nothing was opened."""
