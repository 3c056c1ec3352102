"""What the instance itself is: where it listens, its processes, what one client may cost, what else it relays, its log."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .section import Bytes, Count, Name, Port, PositiveSeconds, Seconds, SecretSource, Section


class Listen(Section, frozen=True):
    """Where callers connect.

    Attributes:
        host: Address; `0.0.0.0` or `::` for everybody.
        port: 0 takes a free one; the first log line tells it.
    """

    host: str = "127.0.0.1"
    port: Port = 8080


class Admin(Section, frozen=True):
    """The operators' listener.

    Attributes:
        host: Address.
        port: None: there is no such listener; 0 takes a free one.
        token: Bearer token; required when the address is not loopback.
    """

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


class Log(Section, frozen=True):
    """JSON lines on standard output.

    Attributes:
        level: `debug`, `info`, `warning` or `error`.
        access_ratio: Share of requests that get a line; of those in trouble ten a second for each project and reason always do.
    """

    level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    access_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0
