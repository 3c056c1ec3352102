"""The operating guide names every call of the operators' listener, every switch with its normal position, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from proxy.admin.app import application
from proxy.answer.switches import NORMAL
from tests.fakes.definitions import Lines

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
CALL = re.compile(r"`(GET|PUT|POST|DELETE) (/[^`]*)`")


def section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_table_of_calls_is_the_listener_s() -> None:
    app = application(cast("Any", SimpleNamespace()), log=Lines().log)
    served = {(route.method, str(route.resource and route.resource.canonical)) for route in app.router.routes()}
    written = set(CALL.findall("\n".join(line for line in section("The operators' listener").split("\n") if line[:1] == "|")))
    assert written == {call for call in served if call[0] != "HEAD"}


def test_the_table_of_switches_is_the_mode_s() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (on|off) \|", section("Switches"), re.MULTILINE)
    assert rows == [(name, "on" if is_on else "off") for name, is_on in msgspec.to_builtins(NORMAL).items()]
