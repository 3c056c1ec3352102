"""Servers as subjects: ours behind a proxy, the proxy on its own, and one that was running already."""

import re
import subprocess
import sys

import pytest

from harness.search.panel import Panel
from harness.search.pools import Level
from harness.search.structures import flag
from harness.search.write import batch
from harness.subjects.catalogue import DEFINITIONS_VARIABLE, find
from harness.subjects.child import Child
from harness.subjects.protocol import evaluate
from tools.sdks.lanes import LANES

TOKEN_VARIABLE = "FLAGS_HARNESS_TOKEN"
ASKED = evaluate({"distinct_id": "a"})


def document(share):
    return {
        "flags": [flag(0, "f", {"groups": [{"properties": [], "rollout_percentage": share}]})],
        "cohorts": {},
        "group_type_mapping": {"0": "organization"},
    }


@pytest.mark.parametrize(("name", "themes"), [("proxy", ("undecided", "switch")), ("proxy-local", ("undecided", "group"))])
async def test_a_proxy_agrees_with_the_reference_and_no_answer_outlives_its_document(name, themes):
    async with Child(find("reference", LANES)) as base, Child(find(name, LANES)) as subject:
        said = []
        for share in (100, 0, 100):
            assert (await subject.load(document(share))).ok
            (reply,) = await subject.ask([ASKED])
            said.append(reply.flags["f"].value)
        assert said == [True, False, True]
        panel = Panel(base, [subject])
        for theme in themes:
            case = batch(theme, Level.PLAUSIBLE, "1")
            assert await panel.differences(case.definitions, case.people) == [], theme
        kinds = panel.tally.kinds[name]
    assert kinds["agree"] > 100
    assert set(kinds) <= {"agree", "both decline"}
    assert ("both decline" in kinds) == (name == "proxy-local")


@pytest.mark.parametrize("token", ["", "phc_of_the_project"])
async def test_a_server_that_runs_already_is_a_subject_once_its_definitions_file_is_named(tmp_path, monkeypatch, token):
    file = tmp_path / "definitions.json"
    file.write_text('{"flags": []}')
    monkeypatch.setenv(DEFINITIONS_VARIABLE, str(file))
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    command = [sys.executable, "-m", "reference.service", "--definitions", str(file), "--port", "0", "--poll-s", "0.02"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:  # noqa: ASYNC220 — one line is read
        try:
            url = re.search(r"http://\S+", service.stdout.readline())[0]
            async with Child(find("reference", LANES)) as base, Child(find(url, LANES)) as subject:
                panel = Panel(base, [subject])
                for theme in ("undecided", "variants"):
                    case = batch(theme, Level.PLAUSIBLE, "1")
                    assert await panel.differences(case.definitions, case.people) == []
        finally:
            service.terminate()
    assert panel.tally.kinds[url]["agree"] > 100
