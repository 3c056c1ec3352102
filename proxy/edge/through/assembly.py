"""Everything outside the flag endpoints, put together from settings: pools, tenants, relay, definitions, passthrough, health.

Under new settings requests in flight end as they began: a pool that is no longer wanted closes with its last exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec
from aiohttp import web

from proxy.clock import SystemClock
from proxy.config.settings import Settings
from proxy.edge.definitions.endpoint import Definitions, Pure, Sets
from proxy.edge.definitions.keys import Keys
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.health import Health
from proxy.edge.routes import Others
from proxy.telemetry.handing import Handing

from .passthrough import Passthrough
from .pool import Place, Pool
from .relay import DEADLINE_S, Relay
from .tenants import Tenants, default_upstream

RELAY_CONNECTIONS: Final = 32
"""Per upstream and worker, for definitions and remote config: each may hold a whole document in memory."""


class Through:
    """The handler of every path but the flag endpoints."""

    def __init__(
        self,
        settings: Settings,
        *,
        health: Health,
        relay_deadline_s: float = DEADLINE_S,
        keys: Keys | None = None,
        sets: Sets = lambda _: None,
        is_pure: Pure = lambda _: False,
        handing: Handing | None = None,
    ) -> None:
        """Take what outlives settings: readiness, callers' keys, the definitions held, who gets pure relay, and who traces."""
        self._handing = handing
        self._health = health
        self._keys = keys or Keys(clock=SystemClock())
        self._sets = sets
        self._is_pure = is_pure
        self._relay_deadline_s = relay_deadline_s
        self._pools: dict[Place, Pool] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self.reconfigure(settings)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        return await self._others.handle(request)

    def reconfigure(self, settings: Settings) -> None:
        """Run under new settings from the next request on; inside the running loop."""
        relayed = {name: _relay_place(settings, name) for name in settings.upstreams}
        ingestion, assets = _passthrough_places(settings)
        before = self._pools
        self._pools = {
            place: before.get(place) or Pool(place, self._handing) for place in (*relayed.values(), ingestion, assets)
        }
        trusted = TrustedProxies(settings.trusted_proxies)
        pools = {name: self._pools[place] for name, place in relayed.items()}
        tenants = Tenants(settings.projects, default=default_upstream(settings))
        relay = Relay(tenants, pools, trusted=trusted, deadline_s=self._relay_deadline_s)
        self._others = Others(
            relay=relay,
            definitions=Definitions(
                settings, keys=self._keys, sets=self._sets, relay=relay, pools=pools, is_pure=self._is_pure
            ),
            passthrough=Passthrough(
                settings.passthrough, ingestion=self._pools[ingestion], assets=self._pools[assets], trusted=trusted
            ),
            health=self._health,
        )
        self._retire(pool for place, pool in before.items() if place not in self._pools)

    async def close(self) -> None:
        """Cancel what is being asked about keys, then close every pool."""
        await self._keys.close()
        await asyncio.gather(*self._retiring, *(pool.close() for pool in self._pools.values()))

    def _retire(self, pools: Iterable[Pool]) -> None:
        for pool in pools:
            task = asyncio.get_running_loop().create_task(pool.retire())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


def _relay_place(settings: Settings, name: str) -> Place:
    upstream = settings.upstreams[name]
    return Place(use="relay", name=name, upstream=upstream, connections=RELAY_CONNECTIONS, idle_s=DEADLINE_S)


def _passthrough_places(settings: Settings) -> tuple[Place, Place]:
    """Return the places of ingestion and of assets, each with the configured number of connections."""
    wanted = settings.passthrough
    name = wanted.upstream if wanted.upstream in settings.upstreams else next(iter(settings.upstreams))
    upstream, idle_s = settings.upstreams[name], wanted.timeout_s
    ingestion = Place(use="ingestion", name=name, upstream=upstream, connections=wanted.connections, idle_s=idle_s)
    return ingestion, msgspec.structs.replace(ingestion, use="assets", url=upstream.assets_url)
