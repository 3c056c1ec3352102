"""What the proxy finds on its own is what the service says: over 100 000 pairs of a person and a flag, through the whole line.

The service is the embedded one, called as a function; the proxy holds what that service's own definitions endpoint serves. Its
upstream is down, or it answers without asking. The same over sockets, for a sample: tests/wire/definitions.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from multidict import CIMultiDict

from proxy.answer.answer import Source
from proxy.definitions.document import definitions_set
from reference.service.project.project import Catalogue, load_catalogue
from reference.service.reply import Call
from reference.service.table import answer
from reference.service.world import World
from tests.fakes.keeping import PROJECT, KeepingLine, said
from tests.properties.proxy.drawn import ADDRESS, TOKEN, Drawn, projects

PARTS = 8
PROJECTS_PER_PART = 52
"""10 flags and 25 people each: 104 000 pairs in all."""


class Service:
    """The embedded service without its HTTP face."""

    def __init__(self, catalogue: Catalogue, now: datetime) -> None:
        self.world = World(catalogue, clock=lambda: now, new_id=lambda: UUID(int=1))

    def flags(self, body: dict[str, Any], agent: str) -> dict[str, Any]:
        headers = CIMultiDict({"Content-Type": "application/json", "User-Agent": agent, "X-Forwarded-For": ADDRESS})
        call = Call(method="POST", path="/flags/", query="v=2", headers=headers, body=json.dumps(body).encode())
        reply = answer(self.world, call, has_test_face=False)
        assert reply.status == 200, reply
        return json.loads(reply.body)


async def line_for(drawn: Drawn, catalogue: Catalogue, *, timezone: str | None, local_first: bool) -> KeepingLine:
    line = KeepingLine(definitions={"local_first": local_first, "timezone": timezone}, tokens=(TOKEN,))
    body = catalogue.projects[0].served.body
    assert await line.line.held.replace(definitions_set(PROJECT, body, etag=None, fetched_at_wall=1.0, generation=1)) is None
    line.fail()
    return line


def essence(flag: dict[str, Any]) -> tuple[Any, ...]:
    return flag["enabled"], flag["variant"], flag["metadata"]["payload"]


def pairs(drawn: Drawn) -> int:
    return len(drawn.requests) * len(drawn.file["flags"])


@pytest.mark.parametrize("part", range(PARTS))
async def test_whatever_is_conclusive_is_what_the_service_says(part: int) -> None:
    counts: Counter[str] = Counter()
    for number, drawn in enumerate(projects(part, PROJECTS_PER_PART)):
        catalogue = load_catalogue(json.dumps(drawn.file).encode())
        timezone = drawn.timezone if number % 2 else None
        line = await line_for(drawn, catalogue, timezone=timezone, local_first=False)
        service = Service(catalogue, datetime.fromtimestamp(line.clock.wall(), UTC))
        counts["pairs"] += pairs(drawn)
        for body, agent in drawn.requests:
            theirs = service.flags(body, agent)["flags"]
            given = await line.ask(body, headers=(("User-Agent", agent), ("Content-Type", "application/json")), peer=ADDRESS)
            ours = said(given)["flags"] if given.source is Source.LOCAL else {}
            for key, flag in ours.items():
                if flag["reason"]["code"] == "flag_disabled":
                    assert key not in theirs
                    continue
                assert essence(flag) == essence(theirs[key]), (drawn.file, body, key)
                counts["conclusive"] += 1
            counts["answered by the service"] += len(theirs)
    share = counts["conclusive"] / counts["answered by the service"]
    print(f"\n{counts['pairs']} pairs, {share:.0%} of the flags that the service gives found here")  # noqa: T201 - the figure counts
    assert counts["pairs"] >= 100_000 / PARTS
    assert share > 0.4


async def test_an_answer_without_asking_is_the_services_answer_flag_by_flag() -> None:
    answered = 0
    for drawn in projects(100, 80):
        catalogue = load_catalogue(json.dumps(drawn.file).encode())
        line = await line_for(drawn, catalogue, timezone=drawn.timezone, local_first=True)
        service = Service(catalogue, datetime.fromtimestamp(line.clock.wall(), UTC))
        for body, agent in drawn.requests:
            given = await line.ask(body, headers=(("User-Agent", agent), ("Content-Type", "application/json")), peer=ADDRESS)
            if given.failure is not None:
                continue
            ours, theirs = said(given), service.flags(body, agent)
            assert ours["errorsWhileComputingFlags"] is theirs["errorsWhileComputingFlags"] is False
            wanted = set(body["flag_keys"]) if "flag_keys" in body else theirs["flags"].keys()
            assert ours["flags"].keys() & wanted == theirs["flags"].keys() & wanted
            assert ours["flags"].keys() <= theirs["flags"].keys()
            assert all(essence(flag) == essence(theirs["flags"][key]) for key, flag in ours["flags"].items())
            answered += 1
    assert answered > 100
