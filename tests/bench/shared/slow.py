"""A relay in front of a Redis that can be made slow: `python -m tests.bench.shared.slow PORT`, then a line on its input."""

from __future__ import annotations

import asyncio
import sys

from harness.faults.fault import How, RelayFault
from harness.faults.network.relay import Relay
from tests.bench.lines import say

DELAY_S = 0.4


async def serve(port: int) -> None:
    """Relay at full speed until a line comes, then with a delay far beyond the proxy's patience."""
    async with Relay(port) as relay:
        say({"event": "listening", "port": relay.port})
        await asyncio.to_thread(sys.stdin.readline)
        await relay.switch(RelayFault(how=How.LATENCY, delay_s=DELAY_S))
        say({"event": "slow"})
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
