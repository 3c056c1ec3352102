"""How much of the sample project definitions alone can answer: the figures that docs/definitions.md gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from multidict import CIMultiDict

from proxy.clock import SystemClock
from proxy.definitions.document import definitions_set
from proxy.definitions.held import Held, HeldSet
from proxy.definitions.local import find, question_of
from reference.service.project.project import load_catalogue
from reference.steps import finish

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = (ROOT / "reference" / "service" / "sample.json").read_bytes()
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
AGENT = CIMultiDict({"User-Agent": "posthog-python/7.91.1"})
STRANGERS = 200
SENT = {
    "nothing but their id": lambda body, row: body,
    "groups and device too": lambda body, row: body | {"groups": GROUPS, "$device_id": f"device-of-{body['distinct_id']}"},
    "and the properties that PostHog has of them": lambda body, row: (
        body | {"groups": GROUPS, "$device_id": "device-1", "person_properties": row, "group_properties": GROUP_PROPERTIES}
    ),
}
GROUPS = {"organization": "org-9", "project": "p-1"}
GROUP_PROPERTIES = {"organization": {"plan": "enterprise", "seats": 120}, "project": {"stage": "live"}}


@pytest.fixture
async def held() -> HeldSet:
    project = load_catalogue(SAMPLE).projects[0]
    sets = Held(clock=SystemClock())
    kept = definitions_set("sample", project.served.body, etag=None, fetched_at_wall=0.0, generation=1)
    assert await sets.replace(kept) is None
    found = sets.get("sample")
    assert found is not None
    return found


def people() -> Iterator[tuple[str, dict[str, Any]]]:
    """Strangers, each with the properties of one of the stored persons."""
    rows = [person["properties"] for person in json.decode(SAMPLE)["service"]["persons"]]
    for number in range(STRANGERS):
        yield f"stranger-{number}", rows[number % len(rows)]


@pytest.mark.parametrize("what", SENT)
async def test_the_documented_share_of_the_sample_project_is_answered(held: HeldSet, what: str) -> None:
    found = asked = 0
    for name, row in people():
        body = SENT[what]({"token": "phc_holdfast_sample", "distinct_id": name, "geoip_disable": True}, row)
        question = question_of(body, AGENT, survey_only=False, timezone="UTC")
        assert question is not None
        findings = finish(find(held, question, now=NOW))
        found += len(findings.outcomes)
        asked += len(findings.outcomes) + len(findings.undecided)
    share = f"{found / asked:.0%}"
    print(f"\n{what}: {share} of {asked} (person, flag) pairs are conclusive")  # noqa: T201 - the figure is the point
    documented = re.search(rf"\| {what} \| ([0-9]+ %) \|", (ROOT / "docs" / "definitions.md").read_text())
    assert documented is not None
    assert documented[1].replace(" ", "") == share
