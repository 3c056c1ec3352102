"""The subjects by name, and how each is started.

`reference` is our own evaluator. `service` is the embedded flag service, over HTTP; `proxy` the same behind our proxy;
`proxy-local` the proxy without a service, answering from definitions; a URL any server whose definitions file we may write. An
SDK is `<sdk>@<version>` and runs from the lane that `python -m tools.sdks` installed: a script in the SDK's own environment, or
a driver compiled against it. A subject that is not there is an `UnusableSubject` with the remedy, never a silent skip.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .child import Launch, UnusableSubject

DRIVERS: Final = Path(__file__).resolve().parent / "drivers"
NODE_HEAP_MIB: Final = 512
JVM_HEAP_MIB: Final = 384
JVM_OPTIONS: Final = (
    f"-Xmx{JVM_HEAP_MIB}m",
    "-XX:+UseSerialGC",
    # The second compiler costs two cores more than it gains in a minute, and a restarted process begins anew.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-XX:ErrorFile=/dev/null",
    "-Dfile.encoding=UTF-8",
)
HTTP_SERVER: Final = (sys.executable, "-m", f"{__package__}.drivers.http_server")
PROXIES: Final = ("proxy", "proxy-local")
DEFINITIONS_VARIABLE: Final = "FLAGS_HARNESS_DEFINITIONS"
ADAPTER: Final = "adapter+"
"""Before the URL of somebody's adapter of PostHog's sdk-test-harness."""


def find(name: str, lanes: Path) -> Launch:
    """Return how to start the subject.

    Args:
        name: `reference`, `service`, `proxy`, `proxy-local`, `http://HOST:PORT`, `<sdk>@<version>` or `adapter+http://HOST:PORT`.
        lanes: The folder with the installed SDK lanes.

    Raises:
        UnknownSubject: no such kind of subject.
        UnusableSubject: the SDK, or what runs it, is not installed.
    """
    if name == "reference":
        return Launch(name=name, command=(sys.executable, "-m", "reference", "jsonlines"))
    if name == "service":
        return Launch(name=name, command=(sys.executable, str(DRIVERS / "flag_service.py")))
    if name in PROXIES:
        return Launch(name=name, command=(*HTTP_SERVER, name))
    if name.startswith(("http://", "https://")):
        return _server(name)
    if name.startswith(ADAPTER):
        return _adapter(name)
    sdk, _, version = name.partition("@")
    if sdk not in _STARTERS or not version:
        raise UnknownSubject(
            f"unknown subject {name!r}; there are reference, service, proxy, proxy-local, http://HOST:PORT, "
            f"{ADAPTER}http://HOST:PORT, "
            f"{', '.join(f'{sdk}@VERSION' for sdk in _STARTERS)}"
        )
    lane = lanes.resolve() / f"{sdk}-{version}"
    if not (lane / ".ready").is_file():
        raise UnusableSubject(name, f"not installed in {lanes}; run `python -m tools.sdks {name}`")
    return _STARTERS[sdk](name, lane)


class UnknownSubject(Exception):  # noqa: N818 — the caller's mistake, reported as exit code 2
    """A name that no subject has."""


def _server(name: str) -> Launch:
    parts = urlsplit(name)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise UnknownSubject("a server is http://HOST:PORT or https://HOST, without user, query or fragment")
    file = os.environ.get(DEFINITIONS_VARIABLE)
    if not file:
        raise UnusableSubject(
            name,
            "generated definitions cannot be loaded into it: name the definitions file that it watches in "
            f"{DEFINITIONS_VARIABLE}, or put its own definitions to it with `flags-harness check --server`",
        )
    return Launch(name=name, command=(*HTTP_SERVER, name, str(Path(file).resolve())))


def _adapter(name: str) -> Launch:
    url = name.removeprefix(ADAPTER)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnknownSubject(f"{name!r} is no adapter: {ADAPTER} is followed by its URL, http://HOST:PORT")
    return Launch(name=name, command=(sys.executable, "-m", f"{__package__}.drivers.sdk_adapter", url))


def _python(name: str, lane: Path) -> Launch:
    return Launch(name=name, command=(str(lane / "bin" / "python"), "-I", str(DRIVERS / "posthog_python.py")))


def _node(name: str, lane: Path) -> Launch:
    node = shutil.which("node")
    if node is None:
        raise UnusableSubject(name, "node is not on PATH")
    heap = f"--max-old-space-size={NODE_HEAP_MIB}"
    return Launch(name=name, command=(node, heap, str(DRIVERS / "posthog_node.js"), str(lane)))


def _compiled(name: str, lane: Path) -> Launch:
    return Launch(name=name, command=(str(lane / "driver"),))


def _jvm(name: str, lane: Path) -> Launch:
    java = shutil.which("java")
    if java is None:
        raise UnusableSubject(name, "java is not on PATH")
    return Launch(name=name, command=(java, *JVM_OPTIONS, "-cp", f"{lane / 'classes'}:{lane / 'jars'}/*", "Driver"))


_STARTERS: Final[dict[str, Callable[[str, Path], Launch]]] = {
    "posthog-python": _python,
    "posthog-node": _node,
    "posthog-go": _compiled,
    "posthog-server": _jvm,
    "posthog-rs": _compiled,
}
