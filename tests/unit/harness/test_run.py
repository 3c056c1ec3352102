"""A run: pairs counted, kinds kept, findings complete, troubles reported."""

import sys
from itertools import repeat
from pathlib import Path

from harness.case import Case
from harness.compare import Kind
from harness.report import as_json, findings, table
from harness.run import Finding, Result, run
from harness.subjects.child import Child, Launch

SCRIPT = Path(__file__).with_name("subject_script.py")
FLAGS = [{"key": key, "filters": {"groups": []}} for key in ("a", "b", "c")]
DOCUMENT = {"flags": FLAGS, "cohorts": {}, "group_type_mapping": {}}


def launch(name):
    return Launch(name=name, command=(sys.executable, "-S", "-I", str(SCRIPT)))


async def compared(*people, pairs=1, definitions=DOCUMENT):
    case = Case(definitions, [{"distinct_id": who} for who in people])
    async with Child(launch("base")) as base, Child(launch("subject")) as subject:
        if "wrong" in people:
            # Both run the same script: only the subject is asked about the person who makes it wrong.
            base.ask = agreeing(base)
        return await run(base, [subject], repeat(case), pairs=pairs)


def agreeing(child):
    ask = child.ask

    async def without_wrong(requests):
        return await ask([{**request, "context": {"distinct_id": "x"}} for request in requests])

    return without_wrong


async def test_a_run_ends_after_the_case_that_completes_the_pairs():
    (result,) = await compared("x", "y", pairs=10)
    assert (result.pairs, result.kinds, result.findings) == (12, {Kind.AGREE: 12}, [])


async def test_a_disagreement_is_reported_with_the_one_flag_and_the_person():
    (result,) = await compared("x", "wrong")
    (finding,) = result.findings
    assert (finding.kind, finding.flag_key, finding.person) == ("value", "a", {"distinct_id": "wrong"})
    assert [flag["key"] for flag in finding.definitions["flags"]] == ["a"]
    assert (result.kinds, result.decided) == ({Kind.AGREE: 5, Kind.VALUE: 1}, 6)
    assert "subject: value on a" in findings([result])
    assert b'"kind": "value"' in as_json("base", 1, [result])


async def test_a_process_that_dies_is_a_finding_with_the_person_it_died_on():
    (result,) = await compared("x", "crash")
    assert [(finding.kind, finding.person) for finding in result.findings] == [("crash", {"distinct_id": "crash"})]
    assert result.kinds == {Kind.AGREE: 3}


async def test_a_document_that_kills_both_is_a_finding_for_every_person():
    (result,) = await compared("x", "y", definitions={**DOCUMENT, "deadly": True})
    assert [finding.kind for finding in result.findings] == ["crash", "crash"]


async def test_the_table_says_what_ran_at_which_version():
    (result,) = await compared("x")
    header, row = table("base", [result]).splitlines()[1:]
    assert header.split()[:4] == ["subject", "version", "pairs", "decided"]
    assert row.split()[:5] == ["subject", "1.0", "3", "3", "3"]


def test_findings_past_their_bytes_are_counted_and_not_kept():
    result = Result(subject="sdk@1", version="1", room_bytes=1_000)
    for _ in range(5):
        result.keep(Finding(subject="sdk@1", kind="value", definitions={"flags": [{"key": "x" * 300}]}))
    assert (len(result.findings), result.unkept, result.found) == (2, 3, 5)
    assert "and 4 more of sdk@1 (--json FILE has 2 of them; the others found no room)" in findings([result], shown=1)
