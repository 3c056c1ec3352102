"""From a difference to a finding: what is taken away, what is explained, what is not shown; and what a check may cost."""

import json
from datetime import UTC, datetime

import pytest

from harness.check.asking.budget import Budget, Spent, Stopped
from harness.check.asking.credentials import credential
from harness.check.asking.server import shown, verdict
from harness.check.findings.explain import Met, explained
from harness.check.findings.narrow import narrowed
from harness.check.findings.redact import redacted
from harness.check.pairs import Difference
from harness.search.cause import Cause, Specimen
from harness.search.state import Finding
from harness.subjects.protocol import Status, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = "wonderland"
LEAF = {"key": "plan", "type": "person", "operator": "exact", "value": [SECRET]}
FLAG = {
    "id": 1, "key": "f", "version": 1, "active": True, "name": SECRET,
    "filters": {"groups": [{"properties": [LEAF], "rollout_percentage": 100}], "payloads": {"true": SECRET}},
}  # fmt: skip
DOCUMENT = {
    "flags": [FLAG],
    "cohorts": {"1": {"type": "AND", "values": [LEAF]}},
    "group_type_mapping": {},
    "service": {"tokens": [SECRET]},
}
PERSON = {
    "distinct_id": "holdfast-check-1",
    "person_properties": {"plan": SECRET, "age": 3, "left": True},
    "groups": {"company": "holdfast-check-0"},
    "group_properties": {"company": {"plan": SECRET}},
}
ON, OFF = Verdict(Status.VALUE, value=True, payload=SECRET), Verdict(Status.VALUE, value=False)


def test_a_redacted_finding_holds_no_value_and_still_the_names():
    whole = Finding(Cause("reference", "s", "value", "equality", "text", "text"), Specimen(DOCUMENT, PERSON, "f"), ON, OFF)
    text = json.dumps(
        [redacted(whole).specimen.definitions, redacted(whole).specimen.person, redacted(whole).base_answer.payload]
    )
    assert SECRET not in text
    for name in ("plan", "exact", "<list of text>", "<text>", "holdfast-check-1"):
        assert name in text


async def test_a_difference_is_narrowed_to_what_it_needs():
    tried = []

    async def again(person):
        tried.append(person)
        return difference(person) if "plan" in person["person_properties"] else None

    def difference(person):
        return Difference("reference", "s", "value", "f", person, ON, OFF)

    found = await narrowed(DOCUMENT, difference(PERSON), again)
    assert found.person["person_properties"] == {"plan": SECRET}
    assert found.person["groups"] == found.person["group_properties"] == {}
    assert len(tried) <= 16


def test_what_explains_the_answers_of_most_people_is_named():
    said = explained(DOCUMENT, "f", [Met(PERSON, OFF)], lambda: NOW)
    assert said == ("the filter on 'plan' (exact) of condition 0 of 'f' did not hold", ("equality", "list of text", "text"))
    assert explained(DOCUMENT, "f", [Met(PERSON, Verdict(Status.VALUE, value="nobody's variant"))], lambda: NOW) is None


async def test_a_budget_is_never_exceeded_and_keeps_the_pace():
    now, slept = [0.0], []

    async def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    budget = Budget(3, 2.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(3):
        await budget.take()
    with pytest.raises(Spent):
        await budget.take()
    assert slept == [0.5, 0.5]
    budget.give_back(2)
    with pytest.raises(Spent):
        await budget.take(keep=2)
    await budget.take(keep=1)


def test_credentials_are_one_word_and_no_message_repeats_them(monkeypatch):
    monkeypatch.setenv("SOME_KEY", f" {SECRET}\n")
    assert credential("SOME_KEY", None, "--key-file", "key") == SECRET
    for wrong in ("two words", "ключ", " "):
        monkeypatch.setenv("SOME_KEY", wrong)
        with pytest.raises(Stopped) as told:
            credential("SOME_KEY", None, "--key-file", "key")
        assert "SOME_KEY" in str(told.value)
        assert wrong == " " or wrong not in str(told.value)


def test_an_address_is_shown_without_what_may_be_secret():
    assert shown("https://user:pass@flags.example:8443/prefix?token=x") == "https://flags.example:8443"
    assert shown("http://[::1]:80/") == "http://[::1]:80"


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"enabled": True, "reason": None, "metadata": None}, Status.VALUE),
        ({"enabled": False, "failed": True, "reason": {"code": "timeout"}}, Status.FAILED),
        ({"enabled": False, "failed": True, "reason": {"code": "evaluation_inconclusive"}}, Status.INCONCLUSIVE),
    ],
)
def test_a_record_is_read_as_leniently_as_sdks_read_it(record, status):
    assert verdict(record).status is status
