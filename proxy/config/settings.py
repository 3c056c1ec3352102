"""The effective configuration as frozen structs: what can be set, its unit, range and default.

Unknown keys are errors. Secrets are never values here: a `SecretSource` names the environment variable or the file that holds
one. Reading and merging is `load`'s affair; what the fields mean at run time is said where they are used.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1, le=1 << 40)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Ratio = Annotated[float, Meta(gt=0, le=1)]
Tokens = Annotated[tuple[str, ...], Meta(extra={"private": True})]

# What `Policy.rungs` may name; the ladder has one entry for each.
RUNGS = frozenset({"stale", "local"})
# Stands in `definitions.boot` for the name of a project.
BOOT_PROJECT = "{project}"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: closed, immutable."""


class SecretSource(Section, frozen=True):
    """Where a secret is read from: exactly one of an environment variable and a file (trailing newline dropped)."""

    env: str | None = None
    file: str | None = None


class Listen(Section, frozen=True):
    """Where callers connect. Port 0 takes a free one and prints it."""

    host: str = "127.0.0.1"
    port: Port = 8080


class Admin(Section, frozen=True):
    """The operators' listener: off unless a port is given; a token is required off loopback."""

    host: str = "127.0.0.1"
    port: Port | None = None
    token: SecretSource | None = None


class Process(Section, frozen=True):
    """Processes of one instance.

    Attributes:
        workers: Worker processes sharing the port.
        drain_s: How long in-flight requests may finish on stop.
        unready_s: How long new connections are still taken on stop while readiness is already red: the load balancer's probe
            interval times its threshold.
        restart_backoff_s: Longest pause before a child that keeps dying is started again.
        unresponsive_s: A worker whose event loop has not answered for this long is killed and replaced.
        runtime_dir: Private folder (0700) of the control socket and the last accepted configuration; None: a temporary one. One
            instance a folder.
    """

    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    drain_s: PositiveSeconds = 10.0
    unready_s: Seconds = 0.0
    restart_backoff_s: PositiveSeconds = 2.0
    unresponsive_s: PositiveSeconds = 15.0
    runtime_dir: str | None = None


class Limits(Section, frozen=True):
    """What one client may cost.

    Attributes:
        connections: Open client connections per worker; beyond it new ones are closed at once.
        header_timeout_s: From the connection's (or the next request's) first byte to the end of the headers.
        header_bytes: Request line plus headers.
        body_timeout_s: From the end of the headers to the end of the body (flag endpoints).
        body_bytes: Raw body of a flag request (the service refuses above 2 MiB).
        inflated_bytes: The same after gunzip (the service refuses above 4 MiB).
        write_timeout_s: A client that takes nothing for this long is dropped.
        keepalive_s: Idle client connections live this long; at least 75 s, SDKs lose seconds on a race.
    """

    connections: Count = 10_000
    header_timeout_s: PositiveSeconds = 10.0
    header_bytes: Bytes = 16_384
    body_timeout_s: PositiveSeconds = 10.0
    body_bytes: Bytes = 2 * 1024 * 1024
    inflated_bytes: Bytes = 4 * 1024 * 1024
    write_timeout_s: PositiveSeconds = 30.0
    keepalive_s: Annotated[float, Meta(ge=75, le=3600)] = 90.0


class Upstream(Section, frozen=True):
    """One flag service.

    Attributes:
        url: Scheme, host, optional port; a path prefix is allowed for self-hosted installs.
        assets_url: Second host for `/static/` and `/array/`; None: the same.
        ca_file: PEM bundle for a private CA; certificates are always verified.
        connections: Pool size for flag exchanges, per worker.
        connect_timeout_s: TCP and TLS.
        keepalive_s: How long an idle pooled connection is reused.
        response_bytes: Larger answers are refused as malformed.
    """

    url: str
    assets_url: str | None = None
    ca_file: str | None = None
    connections: Count = 200
    connect_timeout_s: PositiveSeconds = 1.0
    keepalive_s: PositiveSeconds = 30.0
    response_bytes: Bytes = 32 * 1024 * 1024


class Breaker(Section, frozen=True):
    """When an upstream is left alone (one breaker per upstream and worker).

    Attributes:
        window_s: Rolling window of outcomes.
        failure_ratio: Share of failures in the window that trips; the default trips on the 34 % outage.
        minimum_calls: No trip on fewer outcomes in the window.
        consecutive: This many failures in a row trip at once.
        open_s: First open period; doubles with each trip in a row up to `open_max_s`, jittered.
        probe_lease_s: A probe that never reports frees its slot after this.
    """

    window_s: PositiveSeconds = 10.0
    failure_ratio: Ratio = 0.25
    minimum_calls: Count = 20
    consecutive: Count = 10
    open_s: PositiveSeconds = 2.0
    open_max_s: PositiveSeconds = 30.0
    probe_lease_s: PositiveSeconds = 5.0


class Policy(Section, frozen=True):
    """How one project's answers are made.

    Attributes:
        fresh_s: A remembered answer younger than this is given without asking upstream; 0: always ask.
        stale_if_error_s: How old a remembered answer may be when upstream fails.
        mark_stale: Set `errorsWhileComputingFlags` in answers made after a failure, so that events carry the mark.
        deadline_s: Longest wait for upstream, inside the SDKs' 3 s.
        rungs: What is tried after a failure, in this order.
    """

    fresh_s: Seconds = 0.0
    stale_if_error_s: Seconds = 86_400.0
    mark_stale: bool = True
    deadline_s: Annotated[float, Meta(gt=0, le=2.8)] = 2.5
    rungs: tuple[str, ...] = ("stale", "local")


class Definitions(Section, frozen=True):
    """How one project's flag definitions are kept (docs/definitions.md).

    Attributes:
        key: Personal API key or project secret key that may read definitions; read again whenever it changes.
        poll_s: How often upstream is asked.
        timeout_s: Longest wait for one poll, body included.
        local_first: Answer from the definitions, without upstream, whenever every asked flag is conclusive.
        timezone: The project's time zone as PostHog has it, for dates written without one; None: such dates are inconclusive.
        shrink_ratio: A set that lacks more than this share of the flags held …
        shrink_flags: … and at least so many of them is refused.
        canary_ratio: A set that changes the values of more than this share of the flags held …
        canary_flags: … and of at least so many of them is held back …
        hold_polls: … for so many polls, then accepted.
    """

    key: SecretSource
    poll_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    timeout_s: PositiveSeconds = 10.0
    local_first: bool = False
    timezone: str | None = None
    shrink_ratio: Ratio = 0.3
    shrink_flags: Count = 5
    canary_ratio: Ratio = 0.3
    canary_flags: Count = 5
    hold_polls: Annotated[int, Meta(ge=0, le=100)] = 2


class Project(Section, frozen=True):
    """One PostHog project.

    Attributes:
        tokens: Public project tokens; a request with another token belongs to no project.
        upstream: Name of the upstream that serves it.
        policy: Overrides of the global policy, key by key; after loading always the whole effective policy.
        definitions: How its flag definitions are kept; None: they are not.
    """

    tokens: Tokens
    upstream: Name = "default"
    policy: Policy | None = None
    definitions: Definitions | None = None

    def __repr__(self) -> str:
        return f"Project(tokens=<{len(self.tokens)} redacted>, upstream={self.upstream!r})"


class Passthrough(Section, frozen=True):
    """What is relayed besides the flag endpoints, because SDKs have one host setting for everything.

    Attributes:
        enabled: False: everything but the flag endpoints is 404.
        all: True: every path is relayed, not only the list.
        prefixes: Paths of ingestion; a request outside is 404.
        asset_prefixes: Paths of static assets (to `assets_url` where given).
        upstream: Name of the upstream they go to.
        connections: Own pool, per worker: a flood of events never takes a flag exchange's place.
        timeout_s: No byte in either direction for this long ends the exchange.
        body_bytes: Largest relayed request body.
        forward_cookies: False strips `Cookie` and `Set-Cookie`.
        forward_baggage: False strips W3C `baggage`.
    """

    enabled: bool = True
    all: bool = False
    prefixes: tuple[str, ...] = (
        "/batch", "/capture", "/e", "/engage", "/i", "/s", "/track", "/api/surveys", "/api/early_access_features",
    )  # fmt: skip
    asset_prefixes: tuple[str, ...] = ("/static", "/array")
    upstream: Name = "default"
    connections: Count = 200
    timeout_s: PositiveSeconds = 60.0
    body_bytes: Bytes = 64 * 1024 * 1024
    forward_cookies: bool = False
    forward_baggage: bool = False


class Memory(Section, frozen=True):
    """The remembered answers of one worker, bounded by bytes with Python's overhead counted."""

    max_bytes: Bytes = 64 * 1024 * 1024


class DefinitionsStore(Section, frozen=True):
    """Where definitions, and the keys that upstream accepted for them, outlive the processes.

    Attributes:
        directory: Private folder (0700); None: inside the runtime folder, lost when the instance stops.
        generations: Accepted sets kept per project.
        boot: File or http(s) URL of a set, for a machine whose directory has none; `{project}` stands for the project's name.
        auth_revalidate_s: A key that upstream accepted is asked about again after this.
        auth_stale_s: How long a key that upstream accepted is believed while upstream cannot be asked.
        hmac_key: Key under which callers' keys are remembered; None: a random one, kept in the directory (0600).
    """

    directory: str | None = None
    generations: Annotated[int, Meta(ge=1, le=1000)] = 5
    boot: str | None = None
    auth_revalidate_s: PositiveSeconds = 300.0
    auth_stale_s: Seconds = 86_400.0
    hmac_key: SecretSource | None = None


class Log(Section, frozen=True):
    """JSON lines on standard output. `access_ratio` samples one line per so many requests; fallbacks are always considered."""

    level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    access_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Settings(Section, frozen=True):
    """Everything. `projects` empty: any token is served from the `default` upstream, with a warning at start."""

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
    definitions: DefinitionsStore = DefinitionsStore()
    log: Log = Log()
    trusted_proxies: tuple[str, ...] = ()
