"""Is anybody there? One connection attempt to each upstream at start, for the operator's eyes: the proxy serves either way.

Nothing is sent: upstream sees no request that no client made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from proxy.config.settings import Upstream
from proxy.telemetry.logs import Logger

_PATIENCE_S: Final = 3.0


async def unreachable(url: str) -> str | None:
    """Try to connect; return why that failed, without names or addresses, or None."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return type(error).__name__
    writer.close()
    return None


async def look(upstreams: Mapping[str, Upstream], log: Logger) -> None:
    """Warn of each upstream that cannot be reached."""
    reasons = await asyncio.gather(*(unreachable(upstream.url) for upstream in upstreams.values()))
    for name, reason in zip(upstreams, reasons, strict=True):
        if reason is not None:
            log.warning("upstream_unreachable", upstream=name, reason=reason)
