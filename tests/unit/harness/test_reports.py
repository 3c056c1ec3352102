"""Reports: every form says what ran, what is new and what is known, and escapes what subjects say."""

import json
import xml.etree.ElementTree as ET
from datetime import date

import pytest

from harness.known import Known
from harness.reports.languages import programs
from harness.reports.outcome import Outcome, Seen, Took
from harness.reports.page import page
from harness.reports.texts import as_json, junit, markdown, terminal
from harness.search.cause import Cause, Specimen
from harness.search.state import Finding
from harness.search.structures import flag
from harness.subjects.protocol import Status, Verdict

EVIL = "</pre><script>\x00'"
SPECIMEN = Specimen(
    {"flags": [flag(0, EVIL, {"groups": []})], "cohorts": {}, "group_type_mapping": {}}, {"distinct_id": EVIL}, EVIL
)
KNOWN = Known(
    id="texts", subjects=("sdk@1",), features=("date",), deviates="sdk@1", why="Reads texts.", evidence="§7.3",
    expires=date(2027, 1, 1)
)  # fmt: skip


def finding(feature):
    answer = Verdict(Status.VALUE, value=True, payload=EVIL)
    return Finding(Cause("reference", "sdk@1", "value", feature, "number", "text"), SPECIMEN, None, answer)


def outcome(**changes):
    whole = {
        "took": [Took("reference", "0.1", is_base=True), Took("sdk@1", "1", is_base=False)],
        "seed": 7, "level": "plausible", "seconds": 5.0, "zone": "UTC", "batches": 3, "pairs": 100,
        "kinds": {"sdk@1": {"agree": 90, "value": 4, "subject declines": 6}},
        "replayed": 2, "new": [finding("order")], "seen": [Seen(KNOWN, finding("date"))],
        "vanished": [("gone", "sdk@1")], "expired": [], "expiring": [],
    }  # fmt: skip
    return Outcome(**{**whole, **changes})


@pytest.mark.parametrize("render", [terminal, markdown, page, lambda o: as_json(o).decode(), lambda o: junit(o).decode()])
def test_every_report_names_versions_new_causes_known_ones_and_vanished_ones(render):
    text = render(outcome())
    for word in ("reference", "sdk@1", "0.1", "order"):
        assert word in text
    assert "texts" in text or "date" in text
    assert "gone" in text or render is page


def test_an_outcome_is_good_when_nothing_is_new_and_nothing_is_past_its_day():
    assert not outcome().is_good
    assert outcome(new=[]).is_good
    assert not outcome(new=[], expired=[KNOWN]).is_good


def test_declined_pairs_are_counted_apart():
    assert outcome().decided("sdk@1") == 94
    row = next(line for line in terminal(outcome()).splitlines() if line.startswith("sdk@1"))
    assert row.split() == ["sdk@1", "1", "94", "6", "1", "1"]


def test_the_page_is_self_contained_and_escapes():
    html = page(outcome())
    assert "<script" not in html
    assert "src=" not in html
    assert "href=" not in html
    assert "&lt;script&gt;" in html


def test_junit_is_xml_with_one_failure_a_new_cause():
    suite = ET.fromstring(junit(outcome()))
    assert (suite.get("failures"), len(suite.findall(".//failure"))) == ("1", 1)
    assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_a_reproducer_comes_as_a_program_in_every_language():
    written = programs(SPECIMEN)
    assert list(written) == ["python", "node", "lines"]
    compile(written["python"], "reproducer", "exec")
    lines = written["lines"].splitlines()[1:3]
    assert [json.loads(line)["op"] for line in lines] == ["load", "evaluate"]


def test_a_reproducer_that_depends_on_the_hour_sets_the_clock_and_tells_what_stands_beside_the_context():
    person = {**SPECIMEN.person, "now": "2024-03-31T12:00:00+00:00", "request": {"timezone": "UTC"}}
    written = programs(Specimen(SPECIMEN.definitions, person, SPECIMEN.flag_key))
    compile(written["python"], "reproducer", "exec")
    assert all("2024-03-31T12:00:00+00:00" in program for program in written.values())
    assert "feature_flags.datetime" in written["python"]
    assert "globalThis.Date" in written["node"]
    asked = json.loads(written["lines"].splitlines()[2])
    assert (asked["timezone"], "request" in asked["context"]) == ("UTC", False)
    assert "feature_flags.datetime" not in programs(SPECIMEN)["python"]
