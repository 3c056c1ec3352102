"""What a check may cost somebody else's project: leave first, limits obeyed, definitions that change, servers in trouble."""

import io
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from harness.__main__ import AGREE, FINDINGS, UNAVAILABLE, USAGE
from harness.check.asking.budget import Budget
from harness.check.asking.credentials import KEY_VARIABLE, TOKEN_VARIABLE
from harness.check.asking.server import Server
from harness.check.session import Options, Session
from tests.wire.check.documents import KEY, TOKEN, document, flag, leaf, where

STRICTER = flag(2, "adults", [where(leaf("age", "gt", 18))])


async def test_without_leave_nothing_is_sent(project, check, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())  # who sits at a terminal is asked
    code, _, warned = await check()
    assert code == USAGE
    assert "--yes" in warned
    assert project.number == 0


@pytest.mark.parametrize("variable", [TOKEN_VARIABLE, KEY_VARIABLE])
async def test_a_missing_credential_is_named_with_the_remedy(project, check, monkeypatch, variable):
    monkeypatch.delenv(variable)
    code, _, warned = await check("--yes")
    assert code == USAGE
    assert variable in warned
    assert project.number == 0


async def test_credentials_may_come_from_files(project, check, monkeypatch, tmp_path):
    for name, variable, text in (("token", TOKEN_VARIABLE, TOKEN), ("key", KEY_VARIABLE, KEY)):
        monkeypatch.delenv(variable)
        (tmp_path / name).write_text(f"{text}\n")
    code, _, _ = await check("--yes", "--token-file", str(tmp_path / "token"), "--key-file", str(tmp_path / "key"), requests=40)
    assert code == AGREE


@pytest.mark.parametrize(("key", "said"), [("phx_wrong", "401"), ("phx_blind", "403")])
async def test_a_key_that_may_not_read_definitions_ends_it_with_the_reason(project, check, monkeypatch, key, said):
    monkeypatch.setenv(KEY_VARIABLE, key)
    code, _, warned = await check("--yes")
    assert code == UNAVAILABLE
    assert said in warned
    assert key not in warned


def limited(*numbers, after="7"):
    def before(_, number):
        return web.Response(status=429, headers={"Retry-After": after}) if number in numbers else None

    return before


async def run(project, most=60):
    """Run a session with a clock of its own; return it, its budget and the pauses it made."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    budget = Budget(most, 1000, clock=lambda: 0.0, sleep=sleep)
    async with Server(project.url, token=TOKEN, key=KEY, budget=budget) as server:
        session = Session(server, Options(), [], lambda: datetime.now(UTC))
        await session.run()
    return session, budget, slept


async def test_retry_after_is_waited_for_once(project):
    project.before = limited(4, 9)
    session, budget, slept = await run(project)
    assert slept.count(7.0) == 2
    assert session.stopped is None
    assert budget.spent <= budget.most


@pytest.mark.parametrize("before", [limited(4, 5), limited(4, after="3600")])
async def test_a_second_refusal_in_a_row_or_a_long_pause_ends_it(project, before):
    project.before = before
    session, _, _ = await run(project)
    assert "429" in session.stopped
    assert project.number <= 5


async def test_a_check_that_was_ended_is_not_agreement(project, check):
    project.before = lambda _, number: web.Response(status=503) if number > 40 else None
    code, said, warned = await check("--yes")
    assert code == UNAVAILABLE
    assert "STOPPED: no answer, 3 times in a row" in said
    assert "status 503" in warned


async def test_what_was_found_before_it_was_ended_is_still_told(project, check):
    project.serve(document(), document(adults=STRICTER))
    project.before = lambda _, number: web.Response(status=503) if number > 95 else None
    code, said, _ = await check("--yes", requests=200)
    assert code in {FINDINGS, UNAVAILABLE}
    assert "STOPPED" in said


async def test_what_differs_is_found_where_every_look_at_the_definitions_costs(project):
    lying = document(adults=STRICTER)
    project.serve(document(), lying)
    whole = {name: value for name, value in document().items() if name != "service"}
    project.before = lambda request, _: web.json_response(whole) if request.path.startswith("/flags/definitions") else None
    session, budget, _ = await run(project, most=200)
    assert [finding.specimen.flag_key for finding in session.findings.values()] == ["adults"]
    assert session.stopped is None
    assert budget.spent <= budget.most


@pytest.mark.parametrize(
    "odd",
    [
        {"flags": ["no flag"]},
        {"flags": [{"id": 1, "active": True}]},
        {"flags": [flag(1, "odd", [None])]},
        {"flags": [flag(1, "odd", [where()], holdout=[])]},
        {"flags": [flag(1, "odd", [where(leaf("age", "gt", 10**400))])]},
        {"flags": [flag(1, "odd", [where(leaf("age", ["gt"], 1))])]},
    ],
)
async def test_definitions_too_odd_to_aim_at_are_no_finding(project, odd):
    whole = json.dumps({"group_type_mapping": {}, "cohorts": {}, **odd})

    def before(request, _):
        is_asked = request.path.startswith("/flags/definitions")
        return web.Response(text=whole, content_type="application/json") if is_asked else None

    project.serve({**document(), "cohorts": {}, **odd})
    project.before = before
    session, _, _ = await run(project)
    assert session.findings == {}
    assert session.stopped is None or "not of the" in session.stopped


async def test_definitions_that_change_under_way_are_noticed_and_are_no_findings(project, check):
    def before(_, number):
        if number == 20:
            project.serve(document(adults={**STRICTER, "version": 8}, share=flag(3, "share", [where(share=70)], version=8)))

    project.before = before
    code, said, _ = await check("--yes")
    assert code == AGREE, said
    assert "1 × times the definitions changed" in said


async def test_a_flag_answered_from_another_version_is_excused(project, check):
    project.serve(document(), document(adults={**STRICTER, "version": 8}))
    code, said, _ = await check("--yes")
    assert code == AGREE, said
    assert "× another version of the flag answered" in said


async def test_a_difference_that_does_not_show_again_is_no_finding(project, check):
    wrong = json.dumps({"flags": {"adults": {"enabled": True, "variant": "odd", "metadata": {"version": 7}}}})
    project.before = lambda _, number: web.Response(text=wrong, content_type="application/json") if number == 10 else None
    code, said, _ = await check("--yes")
    assert code == AGREE, said
    assert "differences that did not show a second time" in said


async def test_a_project_over_its_quota_ends_it(project, check):
    limits = json.dumps({"flags": {}, "quotaLimited": ["feature_flags"]})
    project.before = lambda _, number: web.Response(text=limits, content_type="application/json") if number > 1 else None
    code, _, warned = await check("--yes")
    assert code == UNAVAILABLE
    assert "quota" in warned
