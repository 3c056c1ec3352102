"""docs/operating.md and the program say the same: every figure, header, setting, switch, command, call and path, both ways."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from proxy.admin.app import application
from proxy.answer.answer import Answer, Assembled, Failure, Forward, Source, Trouble, Whole
from proxy.answer.switches import NAMES
from proxy.command.parser import parsed
from proxy.edge import cors, health
from proxy.edge.flags.head import Heads
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.wire import Arrival, respond
from proxy.telemetry.metrics.instrument import Kind
from proxy.telemetry.metrics.table import BY_NAME, TABLE
from proxy.telemetry.traces.story import KEYS
from tools.pages import TABLES, replaced

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})
EVENTS = {"holdfast.upstream.failed", "holdfast.breaker.open", "holdfast.shed", "holdfast.rung", "holdfast.assembled"}
FILES = {"holdfast.toml"}
DOTTED = re.compile(r"`(holdfast\.[a-z0-9_.]+[a-z0-9_])(?=[`{])")
UNDERSCORED = re.compile(r"`((?:holdfast|http)_[a-z0-9_]+)(?=[`{\[])")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def first_column(title: str) -> set[str]:
    """What stands in code in the first column of a section's tables."""
    rows = re.findall(r"^\| *(`[^|]*`)[^|]*\|", section(title), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_taken_from_the_program_are_up_to_date(name: str) -> None:
    assert replaced(GUIDE, name, TABLES[name]()) == GUIDE, "run: python -m tools.pages"


def test_every_setting_has_a_meaning() -> None:
    bare = [line for line in section("Settings").splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert bare == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_figure_and_attribute_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(DOTTED.findall(text)) <= BY_NAME.keys() | KEYS | EVENTS | FILES
    shown = {each.prometheus for each in TABLE}
    shown |= {
        f"{each.prometheus}_{part}" for each in TABLE if each.kind is Kind.HISTOGRAM for part in ("bucket", "sum", "count")
    }
    labels = {label.replace(".", "_") for each in TABLE for label in each.labels}
    assert set(UNDERSCORED.findall(text)) <= shown | labels


def test_every_event_of_a_span_is_told_of_and_exists() -> None:
    source = (ROOT / "proxy" / "telemetry" / "traces" / "story.py").read_text()
    assert {name for name in re.findall(r'"(holdfast\.[a-z.]+)"', source) if name not in KEYS - EVENTS} == EVENTS
    assert all(f"`{event}`" in section("Traces") for event in EVENTS)


def test_every_attribute_of_a_span_is_told_of() -> None:
    told = section("Traces")
    own = {key for key in KEYS if key.startswith("holdfast.") and ".note." not in key}
    on_events = {"holdfast.rung", "holdfast.filled", "holdfast.flags", "holdfast.keys", "holdfast.retry_after_s"}
    for key in own - on_events:
        assert f"`{key}`" in told or f"`.{key.removeprefix('holdfast.')}`" in told, key


def test_every_switch_is_documented_and_every_documented_one_exists() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (?:on|off) \|", section("Switches"), re.MULTILINE)
    assert rows == list(NAMES) or set(rows) == set(NAMES)


def test_every_command_is_documented_and_every_documented_one_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(["--help"])
    listed = set(re.findall(r"^    ([a-z][a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE))
    assert {f"flags-proxy {name}" for name in listed} == first_column("Commands")


def test_every_health_path_is_documented_and_every_documented_one_exists() -> None:
    assert first_column("Health") == {health.LIVE, health.READY, health.FRESH, health.MODE}


def test_every_call_of_the_operators_is_documented_and_every_documented_one_exists() -> None:
    desk: Any = SimpleNamespace()
    routes = application(desk, log=SimpleNamespace()).router.routes()  # type: ignore[arg-type]
    served = {f"{route.method} {route.resource.canonical}" for route in routes if route.resource and route.method != "HEAD"}
    assert first_column("The operators' listener") == served


def answers() -> list[Answer]:
    """One of each kind that a client can get."""
    whole, failed = Whole(200, "application/json", b"{}"), Failure(trouble=Trouble.STATUS, status=500)
    return [
        Answer(content=whole, source=Source.UPSTREAM, forward=Forward.MISS),
        Answer(content=whole, source=Source.FRESH, fresh_for_s=1.0),
        Answer(content=whole, source=Source.STALE, failure=failed, forward=Forward.STALE, fresh_for_s=-1.0),
        Answer(content=Assembled(b"{}"), source=Source.LOCAL),
        Answer(content=Assembled(b"", status=503), source=Source.NONE, failure=failed, forward=Forward.MISS),
    ]


def test_every_header_of_ours_is_documented_and_every_documented_one_is_sent() -> None:
    request = make_mocked_request("POST", "/flags")
    seen = SimpleNamespace(raw_headers=(), headers=request.headers, remote="127.0.0.1")
    head = Heads(trusted=TrustedProxies()).of(seen)  # type: ignore[arg-type]
    arrival = Arrival("POST", "/flags", "/flags", "", head, b"")
    sent: set[str] = set()
    for answer in answers():
        packed: Any = respond(answer, arrival)
        sent |= {name for name, _ in packed._lines}
    own = sent - {"Content-Type"} - {name for name, _ in cors.headers_for(None)}
    assert first_column("Response headers") == own
