"""The embedded service as a subject: documents are taken up, answers carry value, payload and reason, and they agree."""

from harness.search.panel import Panel
from harness.search.pools import Level
from harness.search.structures import flag
from harness.search.write import batch
from harness.subjects.catalogue import find
from harness.subjects.child import Child
from harness.subjects.protocol import Status, Verdict, evaluate
from tools.sdks.lanes import LANES


def document(share):
    filters = {"groups": [{"properties": [], "rollout_percentage": share}], "payloads": {"true": '"p"'}}
    return {"flags": [flag(0, "f", filters)], "cohorts": {}, "group_type_mapping": {}}


async def test_each_document_is_answered_from_as_soon_as_it_is_loaded():
    async with Child(find("service", LANES)) as service:
        said = []
        for share in (100, 0):
            await service.load(document(share))
            (reply,) = await service.ask([evaluate({"distinct_id": "a"})])
            said.append(reply.flags["f"])
    matched = {"code": "condition_match", "condition_index": 0}
    missed = {"code": "out_of_rollout_bound", "condition_index": 0}
    assert said == [
        Verdict(Status.VALUE, value=True, payload='"p"', reason=matched),
        Verdict(Status.VALUE, value=False, payload=None, reason=missed),
    ]


async def test_the_service_agrees_with_the_reference_in_a_servers_position():
    case = batch("undecided", Level.PLAUSIBLE, "1")
    async with Child(find("reference", LANES)) as base, Child(find("service", LANES)) as service:
        panel = Panel(base, [service])
        assert await panel.differences(case.definitions, case.people) == []
    assert panel.tally.kinds == {"service": {"agree": len(case.people) * len(case.flag_keys)}}
