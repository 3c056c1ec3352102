"""`python -m tools.servers`: fetch what tests need of real servers (Redis, Prometheus).

Exit code 0 when all are there or, outside CI, skipped with the reason; 1 when one is unavailable and `CI=true`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from tools.sdks.install import report, required_here
from tools.sdks.unavailable import Unavailable

from . import prometheus, redis

SERVERS: Final[tuple[tuple[str, Callable[[], prometheus.Installed | redis.Installed]], ...]] = (
    ("redis", redis.ensure),
    ("prometheus", prometheus.ensure),
)


def main() -> int:
    """Fetch them."""
    ready = [_fetched(name, ensure) for name, ensure in SERVERS]
    return 0 if all(ready) or not required_here() else 1


def _fetched(name: str, ensure: Callable[[], prometheus.Installed | redis.Installed]) -> bool:
    try:
        found = ensure()
    except Unavailable as reason:
        report(f"{name} {'FAILED' if required_here() else 'skipped'}: {reason}")
        return False
    report(f"{name} ready: {found.server.name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
