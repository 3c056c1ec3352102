"""`flags-proxy switch`: show the switches of a running instance, turn one, or put it back."""

from __future__ import annotations

import argparse
import getpass
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from .desk import Desk, Trouble, found
from .exits import Exit
from .say import complain, say

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN: Final = re.compile(r"([0-9]{1,7})([smhd]?)")


def run(chosen: argparse.Namespace) -> Exit:
    """Do it, and say how the switches stand afterwards."""
    desk = found(chosen.config, chosen.admin)
    if isinstance(desk, Trouble):
        return _failed(desk)
    if chosen.switch is not None:
        done = _turn(desk, chosen)
        if isinstance(done, Trouble):
            return _failed(done)
        _say_who_obeys(done["workers"])
    shown = desk.call("GET", "/switches")
    if isinstance(shown, Trouble):
        return _failed(shown)
    say("\n".join(_rows(shown)))
    return Exit.OK


def _turn(desk: Desk, chosen: argparse.Namespace) -> Any:
    if chosen.position is None:
        return Trouble("say `on`, `off` or `normal`", is_ours=True)
    if (chosen.project is None) is not chosen.all:
        return Trouble("say for whom: --project NAME, or --all", is_ours=True)
    path = f"/switches/{quote(chosen.switch, safe='')}"
    if chosen.position == "normal":
        scope = "" if chosen.project is None else f"?project={quote(chosen.project, safe='')}"
        return desk.call("DELETE", path + scope)
    if not chosen.reason:
        return Trouble("say why: --reason TEXT (it stands in the log and in the status)", is_ours=True)
    seconds = span(chosen.span)
    if isinstance(seconds, Trouble):
        return seconds
    body = {"project": chosen.project, "on": chosen.position == "on", "reason": chosen.reason, "by": _user()}
    return desk.call("PUT", path, body | {"for_s": seconds})


def span(text: str) -> float | Trouble | None:
    """Read `90`, `90s`, `15m`, `2h`, `3d` as seconds; `ever` is None."""
    if text == "ever":
        return None
    parts = _SPAN.fullmatch(text)
    if parts is None:
        return Trouble("--for takes seconds, or a number with s, m, h or d, or `ever`", is_ours=True)
    return float(parts[1]) * _UNITS[parts[2]]


def _rows(shown: Mapping[str, Any]) -> list[str]:
    turned = [
        f"{row['switch']:<12} {_position(row['on']):<8} {row['project'] or '(all)':<20} until {_when(row['until'])}   "
        f"{row['reason']}{f' ({by})' if (by := row['by']) else ''}"
        for row in shown["turned"]
    ]
    normal = ", ".join(f"{name} {_position(is_on)}" for name, is_on in shown["normal"].items())
    return [*(turned or ["nothing is turned"]), f"normal: {normal}"]


def _position(is_on: bool) -> str:  # noqa: FBT001  it is the position itself
    return "on" if is_on else "off"


def _when(until: float | None) -> str:
    return "taken back" if until is None else datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _say_who_obeys(workers: Mapping[str, Any]) -> None:
    say(f"{len(workers['obeying'])} workers obey")
    for index, why in workers["missing"].items():
        complain(f"worker {index} does not yet: {why}; it is told again when it is back")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user often has no name
        return ""


def _failed(trouble: Trouble) -> Exit:
    complain(f"flags-proxy: {trouble.reason}")
    return Exit.CONFIG if trouble.is_ours else Exit.FAILED
