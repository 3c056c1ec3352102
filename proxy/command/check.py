"""`flags-proxy check-config`: what would run, or everything that is wrong."""

from __future__ import annotations

import argparse
import os

from proxy.config.load import load
from proxy.config.problem import Problems

from .exits import Exit
from .say import complain, say
from .show import shown


def run(chosen: argparse.Namespace) -> Exit:
    """Print the effective configuration, or its faults."""
    loaded = load(chosen.config, os.environ)
    if isinstance(loaded, Problems):
        complain(f"flags-proxy: the configuration is refused:\n{loaded}")
        return Exit.CONFIG
    say(shown(loaded))
    return Exit.OK
