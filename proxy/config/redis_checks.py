"""What the types cannot say about `[redis]`: addresses that lead somewhere, and settings that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from .schema import Place
from .secret import Secret, read_secret
from .settings import Redis, SecretSource, Settings
from .settings.shared import CLUSTER, SECRET_CHARACTERS, SENTINEL, SINGLE


def redis_faults(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong; nothing is while no addresses are given."""
    redis = settings.redis
    if not redis.is_on:
        return
    yield from _addresses(redis)
    for is_wrong, field, reason in _contradictions(redis):
        if is_wrong:
            yield ("redis", field), reason
    for field, source in (("secret", redis.secret), ("previous_secret", redis.previous_secret)):
        found = None if source is None else read_secret(source, environ)
        if isinstance(found, Secret) and len(found.reveal()) < SECRET_CHARACTERS:
            yield (
                ("redis", field),
                f"too short: give at least {SECRET_CHARACTERS} characters, such as `openssl rand -hex 32` prints",
            )


def redis_secrets(redis: Redis) -> Iterator[tuple[Place, SecretSource]]:
    """Yield every secret that is needed."""
    if redis.is_on:
        for field in ("password", "sentinel_password", "secret", "previous_secret"):
            source = getattr(redis, field)
            if source is not None:
                yield ("redis", field), source


def split_address(address: str) -> tuple[str, int] | None:
    """Return host and port of `host:port` or `[v6]:port`; None when it is neither."""
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    is_plain = parts.netloc == address and "@" not in address and not any(character.isspace() for character in address)
    return (host, port) if host and port and is_plain else None


def _addresses(redis: Redis) -> Iterator[tuple[Place, str]]:
    for index, address in enumerate(redis.addresses):
        if split_address(address) is None:
            # The address is not repeated: somebody may have written a password into it.
            yield ("redis", f"addresses[{index}]"), "write it as host:port; user and password have settings of their own"


def _contradictions(redis: Redis) -> tuple[tuple[bool, str, str], ...]:
    return (
        (
            redis.mode == SINGLE and len(redis.addresses) > 1,
            "addresses",
            f"one server has one address; for several set mode to {SENTINEL} or {CLUSTER}",
        ),
        (
            redis.mode == SENTINEL and not redis.sentinel_name,
            "sentinel_name",
            "required with sentinels: the name they know the master by",
        ),
        (redis.mode != SENTINEL and redis.sentinel_name is not None, "sentinel_name", f"only for mode {SENTINEL}"),
        (redis.mode != SENTINEL and redis.sentinel_password is not None, "sentinel_password", f"only for mode {SENTINEL}"),
        (redis.mode == CLUSTER and redis.database != 0, "database", "a cluster has only database 0"),
        (redis.username is not None and redis.password is None, "password", "required with a username"),
        (redis.ca_file is not None and not redis.tls, "tls", "must be true for ca_file to mean anything"),
        (
            redis.secret is None,
            "secret",
            "required: whoever can write to Redis could change flags without it; the same in every instance",
        ),
    )
