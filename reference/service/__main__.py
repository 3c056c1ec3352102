"""`python -m reference.service`: the embedded flag service on a definitions file. SIGTERM and SIGINT end it with exit 0."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path

from aiohttp import web

from .app import build
from .files import Grants, load_path
from .project.file import DefinitionsFileError
from .watch import POLL_S, keep_reloading

SAMPLE = Path(__file__).with_name("sample.json")
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 after a signal, 2 when it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        _run(_serve(options))
    except DefinitionsFileError as trouble:
        return _complain(f"{options.definitions}: {trouble}")
    except FileNotFoundError:
        return _complain(f"{options.definitions}: no such file; name a definitions file with --definitions, or leave it out")
    except OSError as trouble:
        return _complain(
            f"cannot listen on {options.host}:{options.port}: {trouble.strerror or trouble}; choose another --port"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reference.service",
        description="A small real flag service on the reference evaluator. Prints 'listening on http://HOST:PORT' when ready, "
        "and takes up a changed definitions file by itself.",
    )
    parser.add_argument(
        "--definitions", type=Path, default=SAMPLE, metavar="FILE", help="definitions file (default: the sample)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--token", action="append", default=[], metavar="PHC", help="one more public token of the first project"
    )
    parser.add_argument("--personal-key", action="append", default=[], metavar="PHX", help="one more personal key for it")
    parser.add_argument("--secret-key", action="append", default=[], metavar="PHS", help="one more project secret key for it")
    parser.add_argument("--poll-s", type=float, default=POLL_S, help="seconds between looks at the file (default: %(default)s)")
    parser.add_argument("--test-face", action="store_true", help="record calls and serve /_test/events and /_test/calls")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    grants = Grants(tuple(options.token), tuple(options.personal_key), tuple(options.secret_key))
    app = build(load_path(options.definitions, grants), has_test_face=options.test_face)
    keep_reloading(app, options.definitions, lambda path: load_path(path, grants), report=_report, poll_s=options.poll_s)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
        _, port = runner.addresses[0][:2]
        print(f"listening on http://{options.host}:{port}", flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()


def _run(serving: Coroutine[object, object, None]) -> None:
    """Run on uvloop where there is one (not on Windows)."""
    if importlib.util.find_spec("uvloop") is None:
        asyncio.run(serving)
        return
    import uvloop  # noqa: PLC0415 - only where it exists

    uvloop.run(serving)


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _complain(text: str) -> int:
    _report(f"flag service: {text}")
    return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
