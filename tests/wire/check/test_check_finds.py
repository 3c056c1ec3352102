"""`flags-harness check` on real sockets: a truthful service is believed, and one that deviates is found out and explained."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from harness.__main__ import AGREE, FINDINGS, main
from harness.check.asking.credentials import KEY_VARIABLE, TOKEN_VARIABLE
from reference.context import Context
from reference.service.project.project import load_catalogue
from tests.sensitivity.planted import FAULTS, ROOT
from tests.wire.check.documents import KEY, SECRET, TOKEN, document, flag, leaf, where

STARTER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; "
    "runpy.run_module('reference.service', run_name='__main__', alter_sys=True)"
)
LESSER_PLAN = flag(1, "plan", [where(leaf("plan", "exact", ["pro"]))], payloads={"true": f'"{SECRET}"'})
EVALUATOR_FAULTS = ("rollout in per mille", "cohort negation dropped")


async def test_a_truthful_service_agrees_within_the_budget_and_is_only_asked_about_marked_people(project, check):
    code, said, warned = await check("--yes")
    assert code == AGREE, said
    assert "at most 110 billable requests" in warned
    bodies = project.flag_calls()
    assert 50 < len(bodies) <= 90
    assert all(body["distinct_id"].startswith("holdfast-check-") and body["geoip_disable"] for body in bodies)
    assert not any("anon" in name for body in bodies for name in body)
    assert all(key.startswith("holdfast-check-") for body in bodies for key in body.get("groups", {}).values())
    assert {(method, target.partition("?")[0]) for method, target, _ in project.calls} == {
        ("GET", "/flags/definitions"),
        ("POST", "/flags/"),
    }
    assert re.search(r"× static or unknown cohort", said)
    assert re.search(r"× experience continuity", said)


async def test_people_reach_both_sides_of_every_flag(project, check):
    await check("--yes")
    answers = {key: set() for key in ("plan", "adults", "share", "arms", "insiders", "company")}
    program = load_catalogue(json.dumps(document()).encode()).projects[0].program
    for body in project.flag_calls():
        context = Context(
            distinct_id=body["distinct_id"], person_properties=body["person_properties"], groups=body["groups"],
            group_properties=body["group_properties"], properties_complete=True
        )  # fmt: skip
        outcomes = program.evaluate(context, now=datetime.now(UTC)).outcomes
        for key, seen in answers.items():
            seen.add(outcomes[key].value)
    assert answers.pop("arms") == {"red", "blue"}
    assert all(seen == {True, False} for seen in answers.values()), answers


@pytest.mark.parametrize(
    ("key", "wrong", "told"),
    [
        ("plan", LESSER_PLAN, "the filter on 'plan' (exact) of condition 0"),
        ("adults", flag(2, "adults", [where(leaf("age", "gt", 18))]), "the filter on 'age' (gte) of condition 0"),
        ("share", flag(3, "share", [where(share=29)]), "the rollout of condition 0 excluded them"),
    ],
)
async def test_a_service_that_deviates_from_its_own_definitions_is_found_out_and_explained(project, check, key, wrong, told):
    project.serve(document(), document(**{key: wrong}))
    code, said, _ = await check("--yes", requests=260)
    assert code == FINDINGS, said
    assert "FINDINGS: 1" in said
    assert f"flag '{key}': as if {told}" in said


async def test_neither_token_nor_key_nor_value_of_the_project_is_shown_unless_asked_for(project, check, tmp_path):
    project.serve(document(), document(plan=LESSER_PLAN))
    files = [f"--{name}={tmp_path / name}" for name in ("json", "junit", "markdown", "html")]
    code, said, warned = await check("--yes", *files)
    written = [(tmp_path / name).read_text() for name in ("json", "junit", "markdown", "html")]
    assert code == FINDINGS
    for text in (said, warned, *written):
        assert "plan" in text or text is warned
        for secret in (TOKEN, KEY, SECRET, "corp.example"):
            assert secret not in text
    _, shown, _ = await check("--yes", "--show-values")
    assert SECRET in shown
    assert TOKEN not in shown


async def test_a_finding_carries_no_more_than_it_needs(project, check, tmp_path):
    project.serve(document(), document(adults=flag(2, "adults", [where(leaf("age", "gt", 18))])))
    await check("--yes", f"--json={tmp_path / 'out'}")
    (finding,) = json.loads((tmp_path / "out").read_bytes())["new"]
    person = finding["specimen"]["person"]
    assert person["person_properties"].keys() == {"age"}
    assert person["groups"] == person["group_properties"] == {}


def planted_service(folder, fault):
    """Start a service on a copy of the reference with a fault."""
    home = folder / "reference"
    shutil.copytree(ROOT / "reference", home, ignore=shutil.ignore_patterns("__pycache__"))
    file = home / fault.file
    file.write_text(file.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")
    definitions = folder / "definitions.json"
    definitions.write_text(json.dumps(document()))
    command = [sys.executable, "-c", STARTER, str(folder), "--definitions", str(definitions), "--port", "0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)


@pytest.mark.parametrize("name", EVALUATOR_FAULTS)
def test_a_fault_planted_in_the_evaluator_of_a_service_of_its_own_is_found(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with planted_service(tmp_path, next(one for one in FAULTS if one.name == name)) as service:
        try:
            url = service.stdout.readline().split()[-1]
            code = main(["check", "--server", url, "--rate", "1000", "--max-requests", "300", "--yes"])
        finally:
            service.terminate()
    assert code == FINDINGS, capsys.readouterr().out
