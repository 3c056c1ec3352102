"""`python -m harness.matrix`: the same as `flags-harness matrix`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.matrix", description=command.__doc__)
    command.add(parser, Path(".lanes"))
    return command.perform(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
