"""`python -m harness.faults`: a flag service that can be made to fail at run time. SIGTERM and SIGINT end it with exit 0."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiohttp import web

from reference.service.__main__ import SAMPLE
from reference.service.files import Grants, load_path
from reference.service.project.file import DefinitionsFileError
from reference.service.watch import keep_reloading

from .catalogue import SCENARIOS, listing
from .play.control import control
from .play.player import Player
from .play.stage import HOST, Stage
from .semantic.layer import Layer
from .semantic.service import build_faulty

EXIT_USAGE: Final = 2
PLAYABLE: Final = sorted(name for name, each in SCENARIOS.items() if each.is_resolvable)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 after a signal, 2 when it cannot start."""
    options = _parser().parse_args(arguments)
    if options.command == "list":
        print(listing())
        return 0
    try:
        asyncio.run(_serve(options))
    except (DefinitionsFileError, OSError) as trouble:
        print(f"faults: {trouble}", file=sys.stderr)
        return EXIT_USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name every scenario")
    serve = commands.add_parser("serve", help="serve flags, faults and a control endpoint, all on loopback")
    serve.add_argument(
        "--definitions", type=Path, default=SAMPLE, metavar="FILE", help="definitions file (default: the sample)"
    )
    serve.add_argument("--port", type=int, default=0, help="port of the service (default: a free one)")
    serve.add_argument("--control-port", type=int, default=0, help="port of the control endpoint (default: a free one)")
    serve.add_argument("--token", action="append", default=[], metavar="PHC", help="one more public token")
    serve.add_argument("--personal-key", action="append", default=[], metavar="PHX", help="one more personal key")
    serve.add_argument("--scenario", choices=PLAYABLE, metavar="NAME", help="begin with this one")
    serve.add_argument("--factor", type=float, default=1.0, help="how many times faster than it was (default: %(default)s)")
    serve.add_argument("--seed", type=int, default=0, help="of every chance (default: %(default)s)")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    grants = Grants(tuple(options.token), tuple(options.personal_key))
    layer = Layer(seed=options.seed)
    app = build_faulty(load_path(options.definitions, grants), layer)
    keep_reloading(app, options.definitions, lambda path: load_path(path, grants), report=_report)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with AsyncExitStack() as stack:
        stage = Stage(app, layer, seed=options.seed)
        stack.push_async_callback(stage.close)
        await stage.start(options.port)
        player = Player(stage)
        stack.push_async_callback(player.close)
        runner = web.AppRunner(control(player), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, options.control_port).start()
        print(f"listening on http://{HOST}:{stage.port}")
        print(f"control on http://{HOST}:{runner.addresses[0][1]}", flush=True)
        if options.scenario:
            await player.play(SCENARIOS[options.scenario], factor=options.factor)
        await ended.wait()


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
