"""What one worker knows about callers' keys, whatever the settings become: records, what is being asked, what it saved."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

from proxy.clock import Clock

from .asked import Seal
from .controls import Controls
from .inquiry import Inquiries
from .meter import Meter
from .records import Records


class Keys:
    """Made once per worker.

    Attributes:
        confirmed: Project → the tag about which upstream last said that nothing has changed, and when (Unix seconds).

    Args:
        clock: Ages of records.
        secret: Key of the HMACs under which callers' keys are remembered; None: random, so that records end with the process.
        environ: Where the proxy's own keys are read from.
    """

    def __init__(self, *, clock: Clock, secret: bytes | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self.clock = clock
        self.seal = Seal(secret or secrets.token_bytes(32))
        self.meter = Meter()
        self.confirmed: dict[str, tuple[str | None, float]] = {}
        self.records = Records(clock=clock)
        self.controls = Controls(records=self.records, seal=self.seal, clock=clock, meter=self.meter, environ=environ)
        self.inquiries = Inquiries(records=self.records, controls=self.controls, clock=clock)

    async def close(self) -> None:
        """Cancel what is being asked."""
        await self.inquiries.close()
