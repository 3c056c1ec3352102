"""The real SDKs: every reproducer we keep still differs, nothing else does in one round of every theme."""

import json
import sys

import pytest

from harness.__main__ import AGREE, main
from harness.search import corpus, moments
from harness.search.write import THEMES
from tools.sdks.lanes import LANES

SUBJECTS = ("posthog-python@7.91.1", "posthog-node@5.70.0")
SEED = 20261123
ROUND = (*THEMES, moments.THEME)
"""Both have clocks that can be set."""


@pytest.mark.timeout(420)
def test_every_kept_reproducer_differs_and_one_round_of_themes_finds_nothing_unexplained(installed, tmp_path, capsys):
    for sdk in SUBJECTS:
        installed(sdk)
    report = tmp_path / "report.json"
    search = ["--seconds", "400", "--batches", str(len(ROUND)), "--seed", str(SEED), "--quiet"]
    code = main(["run", "--subjects", f"reference,{','.join(SUBJECTS)}", "--lanes", str(LANES), "--json", str(report), *search])
    said = capsys.readouterr().out
    with capsys.disabled():
        sys.stdout.write(f"\n{said}")
    outcome = json.loads(report.read_bytes())
    assert code == AGREE, said
    assert outcome["vanished"] == []
    assert outcome["replayed"] == sum(finding.cause.subject in SUBJECTS for finding in corpus.read(corpus.FOLDER))
    assert outcome["batches"] == len(ROUND)
    assert [one["name"] for one in outcome["took"]] == ["reference", *SUBJECTS]


@pytest.mark.timeout(120)
def test_what_depends_on_the_host_alone_is_a_cause_of_its_own_with_the_zone_in_its_key(installed, tmp_path):
    installed(SUBJECTS[1])
    kept = [finding for finding in corpus.read(corpus.FOLDER) if finding.cause.base == SUBJECTS[1]]
    corpus.keep(tmp_path / "corpus", kept)
    report = tmp_path / "report.json"
    places = ["--lanes", str(LANES), "--corpus", str(tmp_path / "corpus"), "--json", str(report), "--quiet"]
    asked = ["run", "--subjects", f"reference,{SUBJECTS[1]}", "--zone", "UTC,Asia/Kathmandu", "--batches", "0", *places]
    assert main(asked) == AGREE
    outcome = json.loads(report.read_bytes())
    assert [one["finding"]["cause"]["subject"] for one in outcome["seen"]] == [f"{SUBJECTS[1]} in Asia/Kathmandu"]
    assert [one["known"]["id"] for one in outcome["seen"]] == ["node-naive-date-in-host-zone"]
    assert outcome["replayed"] == len(kept) == 1
