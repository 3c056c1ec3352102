"""`flags-proxy serve`: check the configuration, take folder and port, and become the launcher.

Everything that can be refused is refused here, in words, before a process is started.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from typing import Any

from proxy.config.load import Loaded, load
from proxy.config.problem import Problems
from proxy.config.settings import Settings
from proxy.process.accepted import accepted, store
from proxy.process.control.messages import Version
from proxy.process.family import Family, open_folder
from proxy.process.launcher import log
from proxy.process.sockets import bind, url_of
from proxy.process.spawn import become
from proxy.telemetry.metrics.slate import make_ground

from .exits import Exit
from .say import complain


def run(chosen: argparse.Namespace) -> Exit:
    """Start an instance; returns only when there is a reason not to."""
    loaded = load(chosen.config, os.environ)
    if isinstance(loaded, Problems):
        return _refuse(str(loaded), Exit.CONFIG)
    opened = open_folder(loaded.settings.process.runtime_dir)
    if isinstance(opened, str):
        return _refuse(opened, Exit.OCCUPIED)
    bound = _bound(loaded.settings, *opened)
    if isinstance(bound, str):
        _give_back(loaded.settings, opened[0])
        return _refuse(bound, Exit.ADDRESS)
    family, announcement = bound
    version = Version(1, loaded.digest)
    _store(family, loaded, version, chosen)
    log("listening", **announcement, workers=len(family.listeners), config=str(version), runtime_dir=family.runtime)
    become("proxy.process.launcher", family)
    raise AssertionError("exec does not return")


def _store(family: Family, loaded: Loaded, version: Version, chosen: argparse.Namespace) -> None:
    source = str(chosen.config.absolute()) if chosen.config else None
    family.roster.unlink(missing_ok=True)  # of an instance that ended without leave; the lock says that nobody of it is left
    store(family, accepted(loaded.settings, loaded.document, version=version, source=source, now=time.time()))


def _bound(settings: Settings, folder: str, lock: int) -> tuple[Family, dict[str, Any]] | str:
    listeners = bind(settings.listen.host, settings.listen.port, settings.process.workers, setting="LISTEN__PORT")
    if isinstance(listeners, str):
        return listeners
    admin = None
    if settings.admin.port is not None:
        found = bind(settings.admin.host, settings.admin.port, 1, setting="ADMIN__PORT")
        if isinstance(found, str):
            return found
        admin = found[0]
    announcement: dict[str, Any] = {"address": url_of(listeners[0]), "admin": url_of(admin) if admin else None}
    family = Family(
        runtime=folder,
        listeners=tuple(listener.detach() for listener in listeners),
        admin=admin.detach() if admin else None,
        lock=lock,
        is_ephemeral=settings.process.runtime_dir is None,
        metrics=make_ground(settings.process.workers),
    )
    return family, announcement


def _give_back(settings: Settings, folder: str) -> None:
    if settings.process.runtime_dir is None:
        shutil.rmtree(folder)


def _refuse(reason: str, code: Exit) -> Exit:
    heading = "the configuration is refused:\n" if code is Exit.CONFIG else ""
    complain(f"flags-proxy: {heading}{reason}")
    return code
