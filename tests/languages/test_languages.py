"""All five languages: every SDK installed, its reproducers replayed, one round of every theme; what is missing here fails."""

import contextlib
import json
import sys
from datetime import date

import pytest

from harness import known
from harness.__main__ import AGREE, main
from harness.search import corpus
from harness.search.write import THEMES
from harness.subjects.catalogue import find
from harness.subjects.child import Child
from harness.subjects.protocol import Reply, Status, evaluate
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES, Kind

EVALUATORS = [name for name, lane in ALL.items() if lane.kind is not Kind.BROWSER]
FIRST = {ALL[name].sdk: name for name in reversed(EVALUATORS)}
NEWEST = [name for name in EVALUATORS if FIRST[ALL[name].sdk] == name]
UNDERSTOOD = {subject for one in known.read(known.OURS, date(2026, 11, 23)).entries for subject in one.subjects}
SEED = 20261123
ON = {"key": "on", "active": True, "filters": {"groups": [{"properties": [], "rollout_percentage": 100}], "payloads": {}}}
ONE_FLAG = {"flags": [{"id": 1, "name": "on", **ON}], "group_type_mapping": {}, "cohorts": {}}

pytestmark = pytest.mark.timeout(1500)  # the first test to run installs


@pytest.fixture(scope="module", autouse=True)
def every_lane():
    """Install all of them: one that cannot be had is a failure with its reason, never a skip."""
    for name in EVALUATORS:
        ensure(ALL[name])


def test_there_are_five_languages():
    assert {ALL[name].kind for name in NEWEST} == {Kind.PYTHON, Kind.NODE, Kind.GO, Kind.RUST, Kind.JVM}


@pytest.mark.parametrize("name", EVALUATORS)
async def test_every_version_says_which_it_is_and_answers(name):
    async with contextlib.AsyncExitStack() as stack:
        child = await stack.enter_async_context(Child(find(name, LANES)))
        assert child.version == ALL[name].version
        assert (await child.load(ONE_FLAG)).ok
        (answer,) = await child.ask([evaluate({"distinct_id": "somebody"})])
        assert isinstance(answer, Reply)
        assert (answer.flags["on"].status, answer.flags["on"].value) == (Status.VALUE, True)


def test_every_reproducer_of_every_version_differs_and_is_understood(tmp_path, capsys):
    subjects = [name for name in EVALUATORS if name in UNDERSTOOD]
    outcome = run(subjects, 0, tmp_path / "replay.json", capsys)
    kept = [finding.cause.subject for finding in corpus.read(corpus.FOLDER)]
    assert outcome["replayed"] == sum(subject in subjects for subject in kept)
    assert set(NEWEST) <= set(kept)


def test_one_round_of_every_theme_finds_nothing_that_is_not_understood(tmp_path, capsys):
    assert run(NEWEST, len(THEMES), tmp_path / "round.json", capsys)["batches"] == len(THEMES)


def run(subjects, batches, report, capsys):
    """Put `subjects` beside the reference, print the table of what ran, and return the report of a run in agreement."""
    bounds = ["--seconds", "800", "--batches", str(batches), "--seed", str(SEED), "--quiet"]
    places = ["--lanes", str(LANES), "--json", str(report)]
    code = main(["run", "--subjects", ",".join(("reference", *subjects)), *places, *bounds])
    said = capsys.readouterr().out
    with capsys.disabled():
        sys.stdout.write(f"\n{said}")
    outcome = json.loads(report.read_bytes())
    assert code == AGREE, said
    assert outcome["vanished"] == []
    assert [one["name"] for one in outcome["took"]] == ["reference", *subjects]
    assert all(one["name"].endswith(f"@{one['version']}") for one in outcome["took"][1:])
    return outcome
