"""`python -m harness.scenarios`: writes what is known about the named scenarios."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .page import page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when done."""
    parser = argparse.ArgumentParser(prog="python -m harness.scenarios", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    table = commands.add_parser("table", help="the page about outages: every scenario, what is owed, what holds today")
    table.add_argument("--write", type=Path, metavar="FILE", help="into this file instead of standard output")
    options = parser.parse_args(arguments)
    if options.write is None:
        print(page(), end="")
    else:
        options.write.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
