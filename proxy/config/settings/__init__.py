"""The effective configuration as frozen structs: what can be set, its unit, range and default.

Unknown keys are errors. Secrets are never values here: a `SecretSource` names the environment variable or the file that holds
one. Reading and merging is `load`'s affair; what the fields mean at run time is said where they are used.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .policy import RUNGS, FlagPolicy, Policy
from .project import BOOT_PROJECT, Definitions, DefinitionsStore, Project
from .remembered import Memory, Store
from .section import Name, Seconds, SecretSource, Section
from .serving import Admin, Limits, Listen, Log, Passthrough, Process
from .shared import Redis
from .telemetry import Telemetry
from .upstream import Breaker, Upstream

__all__ = [
    "BOOT_PROJECT",
    "DEFAULT_PROJECT",
    "RUNGS",
    "Admin",
    "Breaker",
    "Definitions",
    "DefinitionsStore",
    "FlagPolicy",
    "Limits",
    "Listen",
    "Log",
    "Memory",
    "Name",
    "Passthrough",
    "Policy",
    "Process",
    "Project",
    "Redis",
    "Seconds",
    "SecretSource",
    "Section",
    "Settings",
    "Store",
    "Telemetry",
    "Upstream",
]


DEFAULT_PROJECT: Final = "default"
"""Whose every request is where no projects are configured."""


class Settings(Section, frozen=True):
    """Everything. `projects` empty: any token is served from the `default` upstream, with a warning at start.

    Attributes:
        trusted_proxies: Networks in CIDR form whose `X-Forwarded-For` and whose wish to be traced are believed.
    """

    upstreams: dict[Name, Upstream]
    projects: dict[Name, Project] = msgspec.field(default_factory=dict)
    policy: Policy = Policy()
    listen: Listen = Listen()
    admin: Admin = Admin()
    process: Process = Process()
    limits: Limits = Limits()
    breaker: Breaker = Breaker()
    passthrough: Passthrough = Passthrough()
    memory: Memory = Memory()
    store: Store = Store()
    definitions: DefinitionsStore = DefinitionsStore()
    redis: Redis = Redis()
    log: Log = Log()
    telemetry: Telemetry = Telemetry()
    trusted_proxies: tuple[str, ...] = ()

    @property
    def project_names(self) -> tuple[str, ...]:
        """The projects whose answers are remembered; one, `default`, where any token is served."""
        return tuple(self.projects) or (DEFAULT_PROJECT,)
