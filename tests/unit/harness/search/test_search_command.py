"""`flags-harness run`: exit codes, reports left behind, and a corpus replayed."""

import json

import pytest

from harness.__main__ import main

ARGUMENTS = ["run", "--subjects", "reference,reference", "--seconds", "30", "--batches", "1", "--quiet"]


def test_the_reference_agrees_with_itself_and_every_report_is_left(tmp_path, capsys):
    files = {name: tmp_path / name for name in ("json", "junit", "markdown", "html", "state")}
    asked = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    assert main([*ARGUMENTS, "--corpus", str(tmp_path / "none"), *asked]) == 0
    assert "reference" in capsys.readouterr().out
    assert all(file.stat().st_size for file in files.values())
    assert json.loads(files["json"].read_bytes())["new"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "--subjects", "reference,nobody"], 2),
        (["run", "--subjects", "reference,posthog-node@0.0.0"], 3),
        (["run", "--subjects", "reference,reference", "--known", "nowhere.toml"], 2),
    ],
)
def test_a_mistake_and_an_absent_subject_have_codes_of_their_own(arguments, code, tmp_path, capsys):
    assert main([*arguments, "--lanes", str(tmp_path)]) == code
    assert capsys.readouterr().err.startswith("flags-harness: ")


ENTRY = """
[[divergence]]
id = "long-ago"
subjects = ["{subject}"]
features = ["*"]
deviates = "nobody"
why = "It was understood once."
evidence = "none"
expires = 2020-01-01
"""


@pytest.mark.parametrize(("subject", "code"), [("posthog-node@5.70.0", 0), ("reference", 1)])
def test_an_entry_past_its_day_fails_those_alone_whom_it_is_about(subject, code, tmp_path):
    (tmp_path / "known.toml").write_text(ENTRY.format(subject=subject))
    assert main([*ARGUMENTS, "--corpus", str(tmp_path / "none"), "--known", str(tmp_path / "known.toml")]) == code


def test_a_comparison_that_did_not_happen_is_no_agreement(tmp_path, capsys):
    nothing = ["run", "--subjects", "reference,reference", "--seconds", "0.000001", "--quiet"]
    assert main([*nothing, "--corpus", str(tmp_path / "none")]) == 3
    assert "nothing was compared" in capsys.readouterr().err
