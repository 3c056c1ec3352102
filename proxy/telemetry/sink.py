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
    """

    def __init__(self, write: Write) -> None:
        self.dropped = 0
        self._write = write
        self._rest = b""

    def line(self, line: bytes) -> None:
        """Write one line in one call, so that lines of several processes do not mix (up to the pipe's atomic 4096 bytes)."""
        if not self._has_room():
            self.dropped += 1
            return
        if self.dropped:
            line = b'{"level":"warning","event":"log_lines_dropped","count":%d}\n' % self.dropped + line
            self.dropped = 0
        self._put(line + b"\n")

    def _has_room(self) -> bool:
        """Finish a line that was cut; a new one must not start in its middle."""
        if self._rest:
            self._put(self._rest)
        return not self._rest

    def _put(self, content: bytes) -> None:
        try:
            self._rest = content[self._write(content) :]
        except BlockingIOError:
            self._rest = b""
            self.dropped += content.count(b"\n")
        except OSError:
            # The reader is gone. Nobody is left to tell, and dying of it would turn its failure into an outage.
            self._rest = b""


def opened(descriptor: int) -> Sink:
    """Return a sink on a descriptor."""
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        journal = socket.socket(fileno=os.dup(descriptor))
        return Sink(lambda content: journal.send(content, socket.MSG_DONTWAIT))
    try:
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND)
    except OSError:
        own = descriptor
    return Sink(lambda content: os.write(own, content))
