"""The reusable workflow: what it names exists, nothing of a caller is pasted into a shell, and its steps do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / ".github" / "workflows" / "flags-harness.yml").read_text(encoding="utf-8")
# YAML 1.1 reads the key `on` as true.
FILE = yaml.safe_load(TEXT)
CALL = FILE[True]["workflow_call"]
JOB = FILE["jobs"]["compare"]
STEPS = {step["name"]: step for step in JOB["steps"]}
SCRIPTS = {name: step["run"] for name, step in STEPS.items() if "run" in step}
PINNED = re.compile(r"^actions/(checkout|setup-python|upload-artifact)@[0-9a-f]{40}$")
LEAST = {"subjects", "seconds", "level", "seed", "known", "fail-on"}


def expressions(value):
    return re.findall(r"\$\{\{\s*(.*?)\s*\}\}", yaml.safe_dump(value, width=10_000))


def test_every_input_is_typed_described_and_used():
    inputs = CALL["inputs"]
    assert set(inputs) >= LEAST
    assert [name for name, one in inputs.items() if one["type"] not in {"string", "number", "boolean"}] == []
    assert [name for name, one in inputs.items() if not one["description"]] == []
    assert [name for name, one in inputs.items() if ("default" in one) is bool(one.get("required"))] == []
    assert {word.removeprefix("inputs.") for word in expressions(JOB) if word.startswith("inputs.")} == set(inputs)


def test_what_is_referred_to_exists():
    steps = {step["id"] for step in JOB["steps"] if "id" in step}
    for word in expressions(FILE["jobs"]):
        assert re.fullmatch(rf"inputs\.({'|'.join(CALL['inputs'])})|steps\.({'|'.join(steps)})\.outputs\.exit-code", word), word
    assert expressions(CALL["outputs"]) == ["jobs.compare.outputs.exit-code"]
    assert "exit-code=" in SCRIPTS["Compare"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_expression_is_pasted_into_a_shell_and_every_value_is_quoted(name):
    assert expressions(SCRIPTS[name]) == []
    unquoted = re.sub(r'"[^"]*"', '""', SCRIPTS[name])
    assert re.findall(r"\$[A-Z_]+", unquoted) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_shell_step_parses_and_knows_its_variables(name):
    checked = subprocess.run(["bash", "-n"], input=SCRIPTS[name], text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    given = {*JOB["env"], *STEPS[name].get("env", {}), "PWD", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    assert set(re.findall(r"\$\{?([A-Z][A-Z_]+)", SCRIPTS[name])) <= given
    assert "SECONDS" not in JOB["env"]  # Bash counts in it.


def test_every_option_exists_and_every_report_is_asked_for():
    said = subprocess.run([sys.executable, "-m", "harness", "run", "--help"], capture_output=True, text=True, check=True).stdout
    used = re.findall(r"--[a-z]+", SCRIPTS["Compare"])
    assert {"--json", "--junit", "--html", "--markdown"} <= set(used)
    assert [option for option in used if option not in said] == []


def test_actions_are_pinned_to_commits_and_may_only_read():
    assert [step["uses"] for step in JOB["steps"] if "uses" in step and not PINNED.match(step["uses"])] == []
    assert FILE["permissions"] == {"contents": "read"}
    checkouts = [step["with"] for step in JOB["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [one["persist-credentials"] for one in checkouts] == [False, False]


def play(name, folder, **env):
    """Run one step as GitHub does; return the finished process."""
    settings = {
        "PATH": os.environ["PATH"],
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]]
    return subprocess.run(
        command, cwd=folder, env={**settings, **env}, capture_output=True, text=True, check=False, timeout=100
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    """What the steps before would have left."""
    program = tmp_path / "holdfast" / ".venv" / "bin" / "flags-harness"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m harness "$@"\n')
    program.chmod(0o755)
    (tmp_path / "caller").mkdir()
    (tmp_path / "caller" / "known.toml").write_text("")
    return tmp_path


def compare(folder, **env):
    asked = {"SUBJECTS": "reference,reference", "SEARCH_SECONDS": "1", "LEVEL": "plausible", "SEED": "7", "ZONE": "UTC"}
    output = folder / "output"
    done = play("Compare", folder, **{**asked, "KNOWN": "known.toml", **env})
    assert done.returncode == 0, done.stderr
    return output.read_text(), done


def test_a_comparison_leaves_reports_a_summary_and_its_exit_code(workspace):
    said, _ = compare(workspace)
    assert said == "exit-code=0\n"
    assert {file.suffix for file in (workspace / "reports").iterdir()} == {".json", ".xml", ".md", ".html"}
    assert play("Write the summary", workspace).returncode == 0
    assert "Flag consistency" in (workspace / "summary").read_text()


def test_a_subject_that_is_not_there_is_exit_code_3_and_a_summary_without_a_report(workspace):
    said, done = compare(workspace, SUBJECTS="reference,posthog-node@0.0.1")
    assert said == "exit-code=3\n"
    assert "posthog-node@0.0.1" in done.stderr
    assert play("Write the summary", workspace).returncode == 0
    assert "no report" in (workspace / "summary").read_text()


def test_what_a_caller_writes_is_never_carried_out(workspace):
    said, _ = compare(workspace, SUBJECTS='reference,"; touch harmed; `touch harmed`$(touch harmed)', KNOWN="$(touch harmed)")
    assert said == "exit-code=2\n"
    assert list(workspace.rglob("harmed")) == []


@pytest.mark.parametrize(
    ("fail_on", "code", "ended"),
    [
        ("findings", 0, 0),
        ("findings", 1, 1),
        ("findings", 3, 3),
        ("errors", 0, 0),
        ("errors", 1, 0),
        ("errors", 3, 3),
        ("x", 0, 2),
    ],
)
def test_the_job_ends_as_the_caller_asked(fail_on, code, ended, tmp_path):
    assert play("Give the verdict", tmp_path, FAIL_ON=fail_on, CODE=str(code)).returncode == ended


@pytest.mark.parametrize(
    ("subjects", "lanes"),
    [
        ("reference, posthog-python@7.91.1,posthog-go@1.0", "-m tools.sdks posthog-python@7.91.1 posthog-go@1.0\n"),
        ("reference,service,adapter+http://user@127.0.0.1:1", ""),
    ],
)
def test_the_sdks_among_the_subjects_are_installed_and_nothing_else(subjects, lanes, tmp_path):
    folder = tmp_path / "holdfast" / ".venv" / "bin"
    folder.mkdir(parents=True)
    for program, file in ((tmp_path / "make", "made"), (folder / "python", "asked")):
        program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path / file}"\n')
        program.chmod(0o755)
    done = play("Install Holdfast and the SDKs", tmp_path, SUBJECTS=subjects, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made").read_text() == "setup\n"
    asked = tmp_path / "asked"
    assert (asked.read_text() if asked.exists() else "") == lanes
