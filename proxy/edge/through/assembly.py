"""Puts the relayed endpoints together from settings: pools, tenants, relay, passthrough, and what starts and closes them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from proxy.config.settings import Settings
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.health import Health
from proxy.edge.routes import Others

from .passthrough import Passthrough
from .pool import Pool
from .relay import DEADLINE_S, Relay
from .tenants import Tenants

RELAY_CONNECTIONS: Final = 32
"""Per upstream and worker, for definitions and remote config: each may hold a whole document in memory."""


class Through:
    """Everything outside the flag endpoints.

    Attributes:
        others: The handler of those paths.
        health: Readiness, to be switched by whoever starts and drains the worker.
    """

    def __init__(self, settings: Settings, *, trusted: TrustedProxies) -> None:
        passthrough, upstreams = settings.passthrough, settings.upstreams
        relay_pools = {
            name: Pool(upstream, connections=RELAY_CONNECTIONS, idle_s=DEADLINE_S) for name, upstream in upstreams.items()
        }
        target = upstreams[passthrough.upstream]
        ingestion = Pool(target, connections=passthrough.connections, idle_s=passthrough.timeout_s)
        assets = Pool(target, connections=passthrough.connections, idle_s=passthrough.timeout_s, url=target.assets_url)
        self._pools = (*relay_pools.values(), ingestion, assets)
        self._open = AsyncExitStack()
        self.health = Health()
        self.others = Others(
            relay=Relay(Tenants(settings.projects), relay_pools, trusted=trusted),
            passthrough=Passthrough(passthrough, ingestion=ingestion, assets=assets, trusted=trusted),
            health=self.health,
        )

    async def start(self) -> None:
        """Open the pools; inside the running loop."""
        for pool in self._pools:
            await pool.start()
            self._open.push_async_callback(pool.close)

    async def close(self) -> None:
        """Close the pools."""
        await self._open.aclose()
