"""The reference against the real SDK evaluators over generated definitions and people: zero unexplained differences."""

import contextlib
import json
import sys
from pathlib import Path

import pytest

from harness.__main__ import AGREE, main
from harness.run import run
from harness.strategies import cases
from harness.subjects.catalogue import find
from harness.subjects.child import Child, Launch
from tests.sdks.support import faulty
from tools.sdks.lanes import LANES, QUICK, Kind

PAIRS = 60_000  # About one pair in seven is declined by one side or the other.
DECIDED = 20_000
SEED = 20261122
EVALUATORS = [name for name, lane in QUICK.items() if lane.kind is not Kind.BROWSER]


@pytest.mark.timeout(240)
def test_the_reference_agrees_with_every_real_sdk_evaluator_in_the_core(installed, tmp_path, capsys):
    for sdk in EVALUATORS:
        installed(sdk)
    report = tmp_path / "report.json"
    subjects = ",".join(["reference", *EVALUATORS])
    sizes = ["--pairs", str(PAIRS), "--seed", str(SEED)]
    code = main(["compare", "--subjects", subjects, *sizes, "--lanes", str(LANES), "--json", str(report), "--quiet"])
    said = capsys.readouterr().out
    with capsys.disabled():
        sys.stdout.write(f"\n{said}")
    rows = json.loads(report.read_bytes())["subjects"]
    assert code == AGREE, said
    assert [row["subject"] for row in rows if row["decided"] >= DECIDED and not row["findings"]] == EVALUATORS
    assert all(row["subject"].endswith(f"@{row['version']}") for row in rows)


@pytest.mark.parametrize("fault", faulty.FAULTS)
async def test_the_same_cases_find_each_planted_fault(fault):
    planted = Launch(name="planted", command=(sys.executable, str(Path(faulty.__file__)), fault))
    async with contextlib.AsyncExitStack() as stack:
        base = await stack.enter_async_context(Child(find("reference", LANES)))
        subject = await stack.enter_async_context(Child(planted))
        (result,) = await run(base, [subject], cases(SEED), pairs=DECIDED)
    assert {finding.kind for finding in result.findings} & {"value", "payload"}
