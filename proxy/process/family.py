"""What all processes of one instance share: a private folder, the listening sockets and a lock. Standard library only.

It is handed from process to process on the command line, the sockets as inherited descriptors. The lock belongs to the
family, not to one process: every member inherits its descriptor, so a second instance is refused while any member of the
first is alive.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

_SOCKET_PATH_BYTES: Final = 100  # macOS allows 104, Linux 108, both with the final NUL


class Family(NamedTuple):
    """One instance, as its members know it.

    Attributes:
        runtime: The private folder.
        listeners: Descriptors of the public sockets; worker i accepts from the i-th.
        admin: Descriptor of the operators' socket.
        lock: Descriptor that holds the folder's lock.
        is_ephemeral: The folder was made for this instance and goes with it.
        metrics: Descriptor of the memory that all count in; None: each counts for itself.
    """

    runtime: str
    listeners: tuple[int, ...]
    admin: int | None
    lock: int
    is_ephemeral: bool
    metrics: int | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Every descriptor that members inherit."""
        return (*self.listeners, self.lock, *(each for each in (self.admin, self.metrics) if each is not None))

    @property
    def control(self) -> str:
        """Path of the supervisor's Unix socket."""
        return str(Path(self.runtime) / "control.sock")

    @property
    def config(self) -> Path:
        """The last accepted configuration."""
        return Path(self.runtime) / "config.json"

    @property
    def roster(self) -> Path:
        """Who is alive, written by the launcher: `{"launcher": pid, "supervisor": pid, "worker-0": pid, …}`."""
        return Path(self.runtime) / "roster.json"

    def dumped(self) -> str:
        """Return the form for a command line."""
        return json.dumps(self._asdict())

    @classmethod
    def parsed(cls, text: str) -> Family:
        """Read the form of `dumped`."""
        fields: dict[str, Any] = json.loads(text)
        listeners = tuple(fields.pop("listeners"))
        return cls(listeners=listeners, **fields)


def open_folder(wanted: str | None) -> tuple[str, int] | str:
    """Open the private folder, made if need be, and take its lock; return its path and the lock, or the reason why not."""
    try:
        folder = _made(wanted)
    except OSError as error:
        return f"runtime folder {wanted}: {error.strerror}"
    if reason := _unsafe(folder):
        return f"runtime folder {folder}: {reason}"
    return _locked(folder)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step: readers see the old or the new content, nobody else sees either."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def _made(wanted: str | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="holdfast-", dir=os.environ.get("XDG_RUNTIME_DIR")))
    folder = Path(wanted).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _unsafe(folder: Path) -> str | None:
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    if found.st_mode & 0o077:
        return "is open to others; chmod 700 it"
    if len(os.fsencode(folder / "control.sock")) > _SOCKET_PATH_BYTES:
        return f"its path is too long for a Unix socket (over {_SOCKET_PATH_BYTES} bytes); choose a shorter process.runtime_dir"
    return None


def _locked(folder: Path) -> tuple[str, int] | str:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode() or "unknown"
        os.close(descriptor)
        remedy = "stop it or set process.runtime_dir"
        return f"runtime folder {folder}: another instance runs in it (started as pid {holder}); {remedy}"
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return str(folder), descriptor
