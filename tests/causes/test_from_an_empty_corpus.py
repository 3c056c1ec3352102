"""Ten minutes from an empty corpus: at least thirty causes, each small and repeatable alone, all of them understood."""

import json
import sys

import pytest

from harness.__main__ import AGREE, main
from tools.sdks.lanes import LANES

SUBJECTS = "reference,posthog-python@7.91.1,posthog-node@5.70.0"
SECONDS = 600


@pytest.mark.timeout(800)
def test_ten_minutes_find_thirty_small_causes_and_none_that_is_not_understood(tmp_path, capsys):
    report, corpus = tmp_path / "report.json", tmp_path / "corpus"
    places = ["--lanes", str(LANES), "--corpus", str(corpus), "--json", str(report), "--save"]
    code = main(["run", "--subjects", SUBJECTS, "--seconds", str(SECONDS), "--seed", "1", "--quiet", *places])
    with capsys.disabled():
        sys.stdout.write(f"\n{capsys.readouterr().out}")
    outcome = json.loads(report.read_bytes())
    assert code == AGREE
    assert len(outcome["seen"]) >= 30
    assert [one["finding"]["cause"] for one in outcome["seen"] if not is_small(one["finding"])] == []
    again = ["--lanes", str(LANES), "--corpus", str(corpus), "--json", str(report), "--batches", "0"]
    assert main(["run", "--subjects", SUBJECTS, "--quiet", *again]) == AGREE
    alone = json.loads(report.read_bytes())
    assert (alone["replayed"], len(alone["seen"])) == (len(outcome["seen"]), len(outcome["seen"]))


def is_small(finding):
    flags = finding["specimen"]["definitions"]["flags"]
    conditions = [one for flag in flags for one in flag["filters"].get("groups") or ()]
    if finding["cause"]["feature"].startswith("flag dependency"):
        return len(flags) <= 3
    return len(flags) == 1 and len(conditions) <= 2 and sum(len(one.get("properties") or ()) for one in conditions) <= 2
