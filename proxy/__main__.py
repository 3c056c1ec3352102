"""The command line: `flags-proxy` = `python -m proxy`."""

from __future__ import annotations

import sys

from .command.parser import parsed


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code (see `flags-proxy --help`)."""
    chosen = parsed(sys.argv[1:] if arguments is None else arguments)
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
