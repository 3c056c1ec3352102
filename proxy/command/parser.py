"""The command line as data, with help that teaches."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from proxy.config.environment import CONFIG_VARIABLE
from proxy.version import VERSION

_ABOUT: Final = """\
Holdfast answers PostHog feature-flag requests and keeps answering when the flag service does not.
Point an SDK's `host` at it; nothing else changes."""

_EPILOG: Final = """\
first steps:
  flags-proxy demo                              everything on this machine, offline, with a curl to try
  flags-proxy check-config --config FILE        what would run, and who set each value
  flags-proxy serve --config FILE               run it
  flags-proxy switch --config FILE              what is switched off in a running instance

exit codes: 0 done · 1 forced or broken · 2 configuration · 3 address not available · 4 runtime folder in use"""

_SERVE: Final = """\
Run the proxy in the foreground: a launcher, a supervisor and `process.workers` workers. Logs are JSON lines on stdout; the
first is `listening`, with the address.

signals, to the launcher (the process you started):
  SIGTERM, Ctrl-C   finish what is in flight (`process.drain_s`), exit 0; a second one stops at once
  SIGHUP            reload the configuration: checked, all or nothing, nothing forgotten"""

_CHECK: Final = """\
Read the configuration as `serve` would and print every setting with its value and who set it (default, file:line, environment
variable). Secrets and tokens are not shown. Faults go to stderr, all of them, each with its JSON path; exit code 2."""

_CONFIGURATION: Final = """\
configuration: a TOML file (deploy/holdfast.toml explains every setting), and over it the environment:
  HOLDFAST_LISTEN__PORT=9000                      listen.port (a double underscore steps into a table)
  HOLDFAST_UPSTREAMS__DEFAULT__URL=https://…      upstreams.default.url; enough to serve without a file
  HOLDFAST_TRUSTED_PROXIES='["10.0.0.0/8"]'       lists and numbers as in TOML
Secrets are never values: admin.token = {env = "NAME"} or {file = "/path"}."""

_DEMO: Final = """\
Start an embedded flag service with sample definitions and the proxy in front of it, and say what to try: a curl, and how to
stop and revive the service to see the proxy hold on. Needs no network. Ctrl-C stops everything."""


_SWITCH: Final = """\
Show which switches of a running instance are turned, turn one, or put it back. Asks the operators' listener (admin.port), with
the token that the configuration names. Every worker obeys before this command ends. `normal` puts a switch back."""

_SWITCHES: Final = """\
switches: bypass (pure relay), observe (decide and record, change nothing), merge, judge, hysteresis, race, retry
examples:
  flags-proxy switch
  flags-proxy switch bypass on --all --for 15m --reason "incident 9"
  flags-proxy switch judge off --project web --reason "false alarm"
  flags-proxy switch judge normal --project web"""


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Read a command line; `module` names the command. Exits with 2 on a wrong one, 0 after help."""
    parser = _parser("flags-proxy", _ABOUT, _EPILOG)
    parser.add_argument("--version", action="version", version=f"flags-proxy {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary, about, epilog, module in (
        ("serve", "run the proxy", _SERVE, _CONFIGURATION, "serve"),
        ("check-config", "show the effective configuration, or what is wrong with it", _CHECK, _CONFIGURATION, "check"),
    ):
        command = commands.add_parser(name, help=summary, description=about, epilog=epilog, formatter_class=_Raw)
        _add_config(command)
        command.set_defaults(module=module)
    _add_switch(
        commands.add_parser(
            "switch", help="turn a mechanism off while it runs", description=_SWITCH, epilog=_SWITCHES, formatter_class=_Raw
        )
    )
    _add_demo(commands.add_parser("demo", help="try it on this machine", description=_DEMO, formatter_class=_Raw))
    return parser.parse_args(arguments)


_Raw = argparse.RawDescriptionHelpFormatter


def _parser(name: str, about: str, epilog: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=name, description=about, epilog=epilog, formatter_class=_Raw)


def _add_config(command: argparse.ArgumentParser) -> None:
    default = os.environ.get(CONFIG_VARIABLE)
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=Path(default) if default else None,
        help=f"TOML file; default: the one that {CONFIG_VARIABLE} names, else the environment alone",
    )


def _add_switch(command: argparse.ArgumentParser) -> None:
    command.add_argument("switch", nargs="?", help="its name; left out: show all")
    command.add_argument("position", nargs="?", choices=("on", "off", "normal"), help="`normal` puts it back")
    command.add_argument("--project", metavar="NAME", help="for one project, whatever is turned for all")
    command.add_argument("--all", action="store_true", help="for every project without a turn of its own")
    command.add_argument(
        "--for", dest="span", default="1h", metavar="TIME", help="90s, 15m, 2h, 3d or `ever` (default: %(default)s)"
    )
    command.add_argument("--reason", metavar="TEXT", help="why, for the log and the status")
    command.add_argument("--admin", metavar="URL", help="the operators' listener; default: where the configuration puts it")
    _add_config(command)
    command.set_defaults(module="switch")


def _add_demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--upstream", metavar="URL", help="front this flag service instead of the embedded one")
    command.add_argument("--port", type=int, default=8080, help="port of the proxy; 0 takes a free one (default: %(default)s)")
    command.add_argument("--workers", type=int, default=1, help="worker processes (default: %(default)s)")
    command.set_defaults(module="demo")
