"""The drivers' clocks: an SDK answers as of the moment that a request names, and as of now when it names none."""

from datetime import UTC, datetime, timedelta

import pytest

from harness.search.structures import flag
from harness.subjects.catalogue import find
from harness.subjects.child import Child
from harness.subjects.protocol import evaluate
from tools.sdks.lanes import LANES

SUBJECTS = ("reference", "posthog-python@7.42.0", "posthog-python@7.91.1", "posthog-node@5.50.0", "posthog-node@5.70.0")
MOMENT = "2024-03-31T12:00:00+00:00"
DOCUMENT = {
    "flags": [
        flag(0, "f", {
            "groups": [
                {
                    "properties": [{"key": "p", "type": "person", "value": "-30d", "operator": "is_date_before"}],
                    "rollout_percentage": 100,
                }
            ]
        })
    ],
    "cohorts": {},
    "group_type_mapping": {},
}  # fmt: skip


def asked(date, **more):
    return {**evaluate({"distinct_id": "a", "person_properties": {"p": date}, **more}), "timezone": "UTC"}


@pytest.mark.parametrize("name", SUBJECTS)
async def test_the_edge_of_a_relative_date_is_where_the_named_moment_puts_it(name, installed):
    if "@" in name:
        installed(name)
    month_ago = datetime.now(UTC) - timedelta(days=31)
    questions = [
        asked("2024-03-01T11:59:59Z", now=MOMENT),
        asked("2024-03-01T12:00:00Z", now=MOMENT),
        asked((month_ago - timedelta(days=9)).isoformat(timespec="seconds")),
        asked((month_ago + timedelta(days=9)).isoformat(timespec="seconds")),
    ]
    async with Child(find(name, LANES)) as child:
        assert "clock" in child.capabilities
        await child.load(DOCUMENT)
        answers = await child.ask(questions)
    assert [answer.flags["f"].value for answer in answers] == [True, False, True, False]
