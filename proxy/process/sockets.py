"""Listening sockets: one a worker, all on the same port, bound once and inherited. Standard library only.

On Linux each worker has a socket of its own (`SO_REUSEPORT`: the kernel spreads connections, nobody wakes in vain).
Elsewhere the kernel does not spread, so all share one. The sockets stay open in the launcher: what is queued on a dead
worker's socket is there for whoever accepts from it next.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
from typing import Any, Final

_SPREADS: Final = platform.system() == "Linux"
_BACKLOG: Final = 4096  # capped by net.core.somaxconn


def bind(host: str, port: int, count: int, *, setting: str) -> list[socket.socket] | str:
    """Bind `count` listening sockets to one address; port 0 takes a free one.

    Return them, or a reason with its remedy, which names the environment `setting` that chooses another port.
    """
    try:
        family, address = _resolved(host, port)
    except OSError as error:
        return f"cannot listen on {host}: {error.strerror}"
    try:
        address = (address[0], _claimed(family, address), *address[2:])
        if _SPREADS:
            return [_listening(family, address, shares_port=True) for _ in range(count)]
        shared = _listening(family, address, shares_port=False)
        return [shared, *(_duplicate(shared) for _ in range(count - 1))]
    except OSError as error:
        return _reason(host, port, error, setting=setting)


def url_of(listener: socket.socket) -> str:
    """Return the address that a listener answers on."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    family, _, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return family, address


def _claimed(family: socket.AddressFamily, address: tuple[Any, ...]) -> int:
    """Return the port once it is sure that nobody has it: under `SO_REUSEPORT` a second instance would share it silently."""
    with _socket(family, shares_port=False) as probe:
        probe.bind(address)
        return int(probe.getsockname()[1])


def _listening(family: socket.AddressFamily, address: tuple[Any, ...], *, shares_port: bool) -> socket.socket:
    listener = _socket(family, shares_port=shares_port)
    listener.bind(address)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    os.set_inheritable(listener.fileno(), True)
    return listener


def _duplicate(listener: socket.socket) -> socket.socket:
    made = listener.dup()
    os.set_inheritable(made.fileno(), True)
    return made


def _socket(family: socket.AddressFamily, *, shares_port: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if shares_port:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _reason(host: str, port: int, error: OSError, *, setting: str) -> str:
    remedies = {
        errno.EADDRINUSE: f"port {port} is taken; stop what listens there, or choose another (HOLDFAST_{setting})",
        errno.EACCES: f"port {port} needs privileges; use one above 1023",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
    }
    return f"cannot listen on {host}:{port}: {remedies.get(error.errno or 0, error.strerror)}"
