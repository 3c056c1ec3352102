"""Plant every fault, search for each, print the table; then the reference against an unspoilt copy of itself.

`python -m tests.sensitivity [--seconds 60] [--only NAME] [--alike-seconds 120]`. Exit 1 below 95 % found, or when the copy
without a fault is not found to be alike.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .planted import FAULTS, copied, seek

MARK = 0.95


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.sensitivity", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="longest search for one fault (default 60)")
    parser.add_argument("--alike-seconds", type=float, default=120, help="how long the unspoilt copy is compared (default 120)")
    parser.add_argument("--only", help="only faults whose name contains this")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.only or options.only in fault.name]
    print("| fault | found by | kind | seconds |\n|---|---|---|--:|")
    seen = sum(asyncio.run(_told(fault, options.seconds)) for fault in chosen)
    alike = asyncio.run(_sought(None, options.alike_seconds))
    print(f"\n{seen} of {len(chosen)} faults found; the unspoilt copy: {alike.kind or 'no difference'} in {alike.pairs} pairs")
    return 0 if seen >= MARK * len(chosen) and alike.theme is None else 1


async def _told(fault, seconds):
    found = await _sought(fault, seconds)
    print(f"| {fault.name} | {found.theme or '**not found**'} | {found.kind} | {found.seconds:.1f} |", flush=True)
    return found.theme is not None


async def _sought(fault, seconds):
    with tempfile.TemporaryDirectory() as folder:
        return await seek(copied(Path(folder), fault), seconds)


if __name__ == "__main__":
    sys.exit(main())
