"""`python -m tools.collector`: build the collector and have it validate otel-collector.yaml.

Exit code 0 when it is built and takes the file or, outside CI, cannot be had here; 1 otherwise.
"""

from __future__ import annotations

import sys

from tools.sdks.install import report, required_here
from tools.sdks.unavailable import Unavailable

from .build import CONFIG, VERSION, ensure, validate


def main() -> int:
    """Build and validate."""
    try:
        binary = ensure()
    except Unavailable as reason:
        report(f"collector {'FAILED' if required_here() else 'skipped'}: {reason}")
        return 1 if required_here() else 0
    complaint = validate(binary)
    report(f"collector {VERSION}: {CONFIG.name} {f'REFUSED: {complaint}' if complaint else 'is valid'}")
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main())
