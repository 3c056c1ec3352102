"""Each scenario's fallback as a trace, over a real OTLP wire: what the spans tell at 3 a.m. is kept as golden text.

`HOLDFAST_GOLDEN=write` rewrites stories.json; the difference is then for a person to judge.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import Endpoint
from harness.faults.scenario import Known, Scenario
from proxy.config.settings import Policy, Settings, Telemetry, Upstream
from proxy.telemetry.shipping.otlp import Otlp
from proxy.telemetry.traces.span import encode
from tests.fakes.posting import FakePost
from tests.faults.scene import BREAKER, USERS, Scene
from tests.telemetry.sink import Sink, told
from tests.wire.proxy_line.house import Proxy, Reply

GOLDEN = Path(__file__).with_name("stories.json")
TELEMETRY = Telemetry(otlp_url="http://unused.invalid", trace_ratio=1.0)
NUMBERS = frozenset({"holdfast.age_s", "holdfast.retry_after_s"})
ABOUT_FLAGS = sorted(
    name
    for name, each in SCENARIOS.items()
    if not any(rule.endpoint is Endpoint.DEFINITIONS for phase in each.phases for rule in phase.rules)
)
PATIENCE = 40
"""Questions until a fault that comes by chance must have come."""


@dataclass
class Told(Scene):
    """A scene whose proxy traces everything."""

    post: FakePost = field(default_factory=FakePost)

    async def another_proxy(self) -> Proxy:
        return await self.house.proxy(self.stage.port, breaker=BREAKER, post=self.post, telemetry=TELEMETRY)

    def configure(self, proxy: Proxy, policy: Policy, host: str = "127.0.0.1") -> None:
        upstreams = {"default": Upstream(url=f"http://{host}:{self.stage.port}")}
        proxy.line.reconfigure(Settings(upstreams=upstreams, breaker=BREAKER, policy=policy, telemetry=TELEMETRY))

    async def until(self, users: tuple[str, ...], is_it: Any) -> Reply:
        """Ask until an answer is the one that is looked for; only its spans are kept."""
        for turn in range(PATIENCE):
            self.post.spans.clear()
            reply = await self.ask(users[turn % len(users)])
            if is_it(reply):
                return reply
        raise AssertionError("it never came")


def is_fallback(reply: Reply) -> bool:
    return "Proxy-Status" in reply.headers


def is_open(reply: Reply) -> bool:
    return "breaker_open" in reply.headers.get("Proxy-Status", "")


def is_any(_: Reply) -> bool:
    return True


def written(span: Span) -> list[str]:
    """A span, a line for itself and each event, without what differs from run to run: ids, instants, ages."""
    kind = "server" if span.kind == Span.SPAN_KIND_SERVER else "client"
    status = "error" if span.status.code == Status.STATUS_CODE_ERROR else "unset"
    head = f"{kind} {span.name}: {_pairs(span.attributes)} status={status}"
    return [head, *(f"  {event.name}: {_pairs(event.attributes)}" for event in span.events)]


def _pairs(attributes: Any) -> str:
    pairs = told(attributes).items()
    return " ".join(f"{key.removeprefix('holdfast.')}={'…' if key in NUMBERS else value}" for key, value in pairs)


async def over_the_wire(post: FakePost, sink: Sink) -> list[str]:
    """Push what was told to a collector; return it as decoded there, servers first, and check that it is one trace."""
    settings = Telemetry(otlp_url=sink.url)
    exporter = Otlp(settings, authorization=None, instance="i", started_ns=0)
    sink.traces.clear()
    assert await asyncio.to_thread(exporter.spans, [encode(span) for span in post.spans])
    spans = sorted(sink.spans(), key=lambda span: span.kind)
    server, *clients = spans
    assert {span.trace_id for span in spans} == {server.trace_id}
    assert all(span.parent_span_id == server.span_id for span in clients)
    return [line for span in spans for line in written(span)]


async def stories(scenario: Scenario, sink: Sink) -> dict[str, Any]:
    """Tell what a known caller, a stranger, and a caller behind an open breaker leave behind."""
    today, found = scenario.today, {}
    expected = is_any if today.known in {Known.LIVE, Known.AS_SAID} else is_fallback
    async with Told() as scene:
        await scene.warm()
        await scene.put_on(scenario.worst, is_hasty=today.trouble == "timeout")
        await scene.until(USERS, expected)
        found["known"] = await over_the_wire(scene.post, sink)
        is_refused = is_fallback if today.trips else is_any
        await scene.until(tuple(f"stranger-{number}" for number in range(PATIENCE)), is_refused)
        found["stranger"] = await over_the_wire(scene.post, sink)
        if today.trips:
            await scene.until(USERS, is_open)
            found["open"] = await over_the_wire(scene.post, sink)
    return found


@pytest.mark.parametrize("name", ABOUT_FLAGS)
async def test_the_spans_of_a_scenario_tell_its_story(name: str) -> None:
    async with Sink() as sink:
        found = json.loads(json.dumps(await stories(SCENARIOS[name], sink)))
    if os.environ.get("HOLDFAST_GOLDEN") == "write":
        kept = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        GOLDEN.write_text(json.dumps(dict(sorted((kept | {name: found}).items())), indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(GOLDEN.read_text())[name]


def test_every_scenario_has_a_story_and_no_other() -> None:
    assert sorted(json.loads(GOLDEN.read_text())) == ABOUT_FLAGS
