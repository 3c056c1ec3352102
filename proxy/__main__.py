"""The command line: `flags-proxy` = `python -m proxy`."""

from __future__ import annotations

import sys
from importlib import import_module

from .command.parser import parsed


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code (see `flags-proxy --help`)."""
    chosen = parsed(sys.argv[1:] if arguments is None else arguments)
    # Only the chosen command is imported: `serve` becomes the launcher at once, and `--help` is quick.
    command = import_module(f"proxy.command.{chosen.module}")
    return int(command.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
