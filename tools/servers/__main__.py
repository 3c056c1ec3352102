"""`python -m tools.servers`: fetch what tests need of real servers (Redis).

Exit code 0 when it is there or, outside CI, skipped with its reason; 1 when it is unavailable and `CI=true`.
"""

from __future__ import annotations

import sys

from tools.sdks.install import report, required_here
from tools.sdks.unavailable import Unavailable

from .redis import ensure


def main() -> int:
    """Fetch them."""
    try:
        found = ensure()
    except Unavailable as reason:
        report(f"redis {'FAILED' if required_here() else 'skipped'}: {reason}")
        return 1 if required_here() else 0
    report(f"redis ready: {found.server.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
