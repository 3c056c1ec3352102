"""From settings to a worker's tier."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from proxy.clock import Clock
from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Redis, SecretSource
from proxy.lastgood.tiers.sealing import Seals
from proxy.shared.connecting import connect
from proxy.shared.link import Link
from proxy.telemetry.logs import Logger

from .tier import RedisTier


def redis_tier(redis: Redis, *, environ: Mapping[str, str], clock: Clock, rng: Random, log: Logger) -> RedisTier | None:
    """Return the tier, made inside the running loop; None where no Redis is configured, or its secret cannot be read."""
    if not redis.is_on or not redis.answers:
        return None
    secret = _secret(redis.secret, environ)
    if secret is None:
        log.error("redis_unused", reason="its secret cannot be read")
        return None
    return RedisTier(
        Link(connect(redis, environ), timeout_s=redis.timeout_s, clock=clock, rng=rng, log=log),
        seals=Seals(secret, _secret(redis.previous_secret, environ)),
        prefix=redis.prefix,
        max_value_bytes=redis.max_value_bytes,
        queue_bytes=redis.queue_bytes,
        clock=clock,
    )


def _secret(source: SecretSource | None, environ: Mapping[str, str]) -> bytes | None:
    found = None if source is None else read_secret(source, environ)
    return found.reveal().encode() if isinstance(found, Secret) else None
