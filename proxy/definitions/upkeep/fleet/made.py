"""From settings to an instance's place in its fleet."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from proxy.clock import Clock
from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Redis
from proxy.shared.connecting import connect
from proxy.shared.link import Link
from proxy.telemetry.logs import Logger

from .member import Member
from .posting import Seal


class Fleet:
    """One instance's line to the others, for every project's definitions."""

    def __init__(self, link: Link, seal: Seal, *, prefix: str, clock: Clock) -> None:
        self._link = link
        self._seal = seal
        self._prefix = prefix
        self._clock = clock

    def member(self, project: str, *, poll_s: float, log: Logger) -> Member:
        """Return this instance's part for one project."""
        return Member(project, link=self._link, seal=self._seal, prefix=self._prefix, poll_s=poll_s, clock=self._clock, log=log)

    async def run(self) -> None:
        """Bring the line back whenever it breaks, until cancelled; then close it."""
        try:
            await self._link.run()
        finally:
            await self._link.close()

    def report(self) -> dict[str, Any]:
        """Return what is shown."""
        return self._link.report()


def fleet(redis: Redis, *, environ: Mapping[str, str], clock: Clock, rng: Random, log: Logger) -> Fleet | None:
    """Return it, made inside the running loop; None where no Redis is configured, or its secret cannot be read."""
    if not redis.is_on or not redis.definitions:
        return None
    sources = [source for source in (redis.secret, redis.previous_secret) if source is not None]
    secrets = [found.reveal().encode() for source in sources if isinstance(found := read_secret(source, environ), Secret)]
    if len(secrets) < len(sources) or not secrets:
        log.error("redis_unused", reason="its secret cannot be read")
        return None
    link = Link(connect(redis, environ), timeout_s=redis.timeout_s, clock=clock, rng=rng, log=log)
    return Fleet(link, Seal(*secrets), prefix=redis.prefix, clock=clock)
