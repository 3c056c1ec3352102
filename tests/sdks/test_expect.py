"""`flags-harness expect` with posthog-python: right answers that two evaluators vouch for, and disputes that are told."""

import json
from datetime import date

import pytest

from harness.__main__ import AGREE, FINDINGS, main
from harness.check.asking.credentials import KEY_VARIABLE, TOKEN_VARIABLE
from tests.sdks.support.stack import Service
from tools.sdks.lanes import LANES

PYTHON = "posthog-python@7.91.1"
BOTH = f"reference+{PYTHON}"
TOKEN, KEY = "phc_expected", "phx_expected"


def flag(number, key, *leaves, share=100, **filters):
    condition = {"properties": list(leaves), "rollout_percentage": share}
    return {
        "id": number, "key": key, "version": 1, "active": True, "deleted": False, "ensure_experience_continuity": False,
        "filters": {"groups": [condition], "payloads": {}, "multivariate": None, **filters},
    }  # fmt: skip


def leaf(key, operator, value):
    return {"key": key, "type": "person", "operator": operator, "value": value}


PORTABLE = [
    flag(1, "share", share=30, payloads={"true": '{"a":1}'}),
    flag(2, "arms", multivariate={"variants": [{"key": f"v{n}", "rollout_percentage": 50} for n in range(2)]}),
    flag(3, "mail", leaf("mail", "icontains", "@corp.example")),
    flag(4, "static", {"key": "id", "type": "cohort", "value": 9, "operator": "in"}),
]


@pytest.fixture
def definitions(tmp_path):
    def write(flags):
        file = tmp_path / "definitions.json"
        service = {"tokens": [TOKEN], "personal_keys": {KEY: {}}}
        file.write_text(json.dumps({"flags": flags, "cohorts": {}, "group_type_mapping": {}, "service": service}))
        return file

    return write


def expect(file, out, *more):
    code = main(["expect", "--definitions", str(file), "--out", str(out), "--people", "40", "--lanes", str(LANES), *more])
    return code, *(json.loads(line) for line in out.read_text().splitlines())


def test_the_portable_core_is_vouched_for_by_both_and_what_definitions_lack_stays_open(installed, definitions, tmp_path):
    installed(PYTHON)
    code, head, *entries = expect(definitions(PORTABLE), tmp_path / "out")
    assert code == AGREE
    assert head["vouchers"] == ["reference", PYTHON]
    assert len(entries) == head["people"] == 40
    for entry in entries:
        assert entry["request"]["distinct_id"].startswith("holdfast-load-")
        assert entry["open"] == ["static"]
        assert {entry["flags"][key]["by"] for key in ("share", "arms")} == {BOTH}
    values = {key: {entry["flags"][key]["value"] for entry in entries} for key in ("share", "arms", "mail")}
    assert values == {"share": {True, False}, "arms": {"v0", "v1"}, "mail": {True, False}}
    assert BOTH in {entry["flags"]["mail"]["by"] for entry in entries}


def test_a_known_divergence_leaves_the_reference_alone_and_an_unknown_one_is_a_dispute(
    installed, definitions, tmp_path, capsys
):
    installed(PYTHON)
    file = definitions([flag(1, "early", leaf("v", "semver_lt", "2.0.0"))])
    code, _, *entries = expect(file, tmp_path / "out")
    assert code == AGREE, capsys.readouterr().out
    assert {entry["flags"]["early"]["by"] for entry in entries} == {"reference", BOTH}
    nothing_known = tmp_path / "known.toml"
    nothing_known.write_text(f"# as of {date(2026, 11, 23)}")
    code, _, *entries = expect(file, tmp_path / "out", "--known", str(nothing_known))
    assert code == FINDINGS
    assert "DISPUTED" in capsys.readouterr().out
    assert any(entry["disputed"] == ["early"] and not entry["flags"] for entry in entries)


def test_a_live_check_holds_an_sdk_against_the_server_as_well(installed, definitions, tmp_path, capsys, monkeypatch):
    installed(PYTHON)
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    service = Service(definitions([*PORTABLE, flag(5, "early", leaf("v", "semver_lt", "2.0.0"))]))
    try:
        command = ["check", "--server", service.url, "--yes", "--rate", "1000", "--max-requests", "120", "--sdk", PYTHON]
        code = main([*command, "--lanes", str(LANES)])
    finally:
        service.kill()
    said = capsys.readouterr().out
    assert code == AGREE, said
    assert "known divergences met" in said
    assert "known divergences met: 0" not in said
