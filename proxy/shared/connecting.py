"""From settings to a Redis client: one server, sentinels or a cluster. Nothing connects before the first command.

The client never tries again by itself: what a failure means is `link`'s to decide. RESP 2, and no introduction of ourselves,
keep a new connection at one round trip or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

from proxy.config.redis_checks import split_address
from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Redis as RedisSettings
from proxy.config.settings import SecretSource
from proxy.config.settings.shared import CLUSTER, SENTINEL

Client: TypeAlias = Redis | RedisCluster

PLACES: Final = 8
"""Connections of one process to one server, and commands at a time."""

SOCKET_S: Final = 2.0
"""No single read or connect takes longer, whoever waits; who has less time says so to `Link.ask`."""

SENTINEL_S: Final = 0.5
"""The same for a sentinel: they are asked one after the other, and one that is frozen must leave time for the next."""


class Credentials(CredentialProvider):
    """User and password, read again for every connection, so that a rotated one is used at once."""

    def __init__(self, username: str | None, password: SecretSource, environ: Mapping[str, str]) -> None:
        self._username = username
        self._password = password
        self._environ = environ
        self._last: Secret | None = None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return them; a password that has become unreadable leaves the last good one."""
        found = read_secret(self._password, self._environ)
        if isinstance(found, Secret):
            self._last = found
        if self._last is None:
            raise AuthenticationError("the password cannot be read")
        return (self._last.reveal(),) if self._username is None else (self._username, self._last.reveal())

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


def connect(settings: RedisSettings, environ: Mapping[str, str]) -> Client:
    """Return a client; made inside the running loop."""
    addresses = [found for address in settings.addresses if (found := split_address(address)) is not None]
    common = _transport(settings, SOCKET_S) | _login(settings.username, settings.password, environ)
    if settings.mode == CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in addresses]
        return RedisCluster(startup_nodes=nodes, require_full_coverage=False, max_connections=2 * PLACES, **common)
    common |= {"db": settings.database, "max_connections": 2 * PLACES}
    if settings.mode == SENTINEL:
        theirs = _transport(settings, SENTINEL_S) | _login(None, settings.sentinel_password, environ)
        sentinel = Sentinel(addresses, sentinel_kwargs=theirs, **common)  # type: ignore[no-untyped-call]  # theirs
        master: Redis = sentinel.master_for(settings.sentinel_name or "")
        return master
    ((host, port),) = addresses
    return Redis(host=host, port=port, **common)


def _transport(settings: RedisSettings, timeout_s: float) -> dict[str, Any]:
    common: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
    return common | ({"ssl": True, "ssl_ca_certs": settings.ca_file} if settings.tls else {})


def _login(username: str | None, password: SecretSource | None, environ: Mapping[str, str]) -> dict[str, Any]:
    return {} if password is None else {"credential_provider": Credentials(username, password, environ)}
