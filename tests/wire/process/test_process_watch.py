"""Watching processes and binding sockets, on this system and as on one without pidfd or without a kernel that spreads."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from proxy.process import sockets
from proxy.process.watch import Watched
from tests.wire.process.support.instance import until

NAP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT_OF_A_NAP = [
    sys.executable,
    "-c",
    "import subprocess, sys; nap = subprocess.Popen(sys.argv[1:]); print(nap.pid, flush=True); nap.wait()",
    *NAP,
]


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HOSTS = ["127.0.0.1", "localhost", *(["::1"] if _has_ipv6() else [])]


@pytest.fixture(params=["pidfd", "asking"])
def _system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "asking":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("_system")
async def test_a_childs_end_is_seen_and_it_is_reaped() -> None:
    pid = os.posix_spawn(sys.executable, NAP, os.environ)  # noqa: ASYNC221  it returns at once
    watched = Watched(pid)
    assert not watched.has_ended()
    os.kill(pid, signal.SIGKILL)
    await until(watched.has_ended, "its end is seen")
    assert watched.exit_code == -signal.SIGKILL
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222  it does not wait
    assert watched.has_ended()
    watched.close()


@pytest.mark.usefixtures("_system")
async def test_a_strangers_end_is_seen() -> None:
    with subprocess.Popen(PARENT_OF_A_NAP, stdout=subprocess.PIPE) as parent:  # noqa: ASYNC220  it answers at once
        assert parent.stdout is not None
        watched = Watched(int(parent.stdout.readline()))
        assert not watched.has_ended()
        os.kill(watched.pid, signal.SIGKILL)
        await until(watched.has_ended, "its end is seen")
        watched.close()


@pytest.mark.usefixtures("_system")
def test_a_process_that_was_gone_before_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert Watched(gone.pid).has_ended()


@pytest.mark.parametrize("spreads", [True, False])
@pytest.mark.parametrize("host", HOSTS)
def test_every_worker_gets_a_listener_on_the_same_port(monkeypatch: pytest.MonkeyPatch, host: str, *, spreads: bool) -> None:
    monkeypatch.setattr(sockets, "_SPREADS", spreads)
    found = sockets.bind(host, 0, 3, setting="LISTEN__PORT")
    assert not isinstance(found, str)
    assert len({listener.getsockname()[:2] for listener in found}) == 1
    assert all(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for listener in found)
    assert all(os.get_inheritable(listener.fileno()) for listener in found)
    assert sockets.url_of(found[0]).startswith({"127.0.0.1": "http://127.0.0.1:", "::1": "http://[::1]:"}.get(host, "http://"))
    for listener in found:
        listener.close()


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("192.0.2.1", 0, "this machine does not have that address"),
        ("no.such.host.invalid", 0, "cannot listen on no.such.host.invalid"),
    ],
)
def test_an_address_that_is_not_ours_is_told(host: str, port: int, said: str) -> None:
    assert said in str(sockets.bind(host, port, 1, setting="LISTEN__PORT"))


def test_a_port_that_others_share_is_still_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} is taken" in str(sockets.bind("127.0.0.1", port, 2, setting="LISTEN__PORT"))
