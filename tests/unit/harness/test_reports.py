"""Reports: every form says what ran, what is new and what is known, and escapes what subjects say."""

import json
import xml.etree.ElementTree as ET
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest

from harness.known import Known
from harness.reports.junit import junit
from harness.reports.languages import programs
from harness.reports.outcome import Outcome, Seen, Took
from harness.reports.page import page
from harness.reports.schema import schema
from harness.reports.texts import as_json, code, markdown, terminal
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
    assert "gone" in text


def test_an_outcome_is_good_when_nothing_is_new_and_nothing_is_past_its_day():
    assert not outcome().is_good
    assert outcome(new=[]).is_good
    assert not outcome(new=[], expired=[KNOWN]).is_good


def test_declined_pairs_are_counted_apart():
    assert outcome().decided("sdk@1") == 94
    row = next(line for line in terminal(outcome()).splitlines() if line.startswith("sdk@1"))
    assert row.split() == ["sdk@1", "1", "94", "6", "1", "1"]


class Page(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.said = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)


def hostile():
    """An outcome in which everything that anybody else wrote is an attack."""
    cause = Cause("reference", EVIL, EVIL, EVIL, EVIL, EVIL)
    known = msgspec.structs.replace(KNOWN, id=EVIL, why=EVIL, evidence=EVIL, deviates=EVIL)
    answer = Verdict(Status.VALUE, value=EVIL, payload=EVIL)
    one = Finding(cause, SPECIMEN, answer, answer, EVIL)
    return outcome(
        took=[Took("reference", EVIL, is_base=True), Took(EVIL, EVIL, is_base=False)], kinds={EVIL: {EVIL: 1}},
        zone=EVIL, level=EVIL,
        new=[one], seen=[Seen(known, one)], vanished=[(EVIL, EVIL)], expired=[known], expiring=[known], crowded_out=2,
    )  # fmt: skip


@pytest.mark.parametrize("shown", [outcome, hostile])
def test_the_page_loads_nothing_runs_nothing_and_leads_to_places_of_its_own(shown):
    read = Page(page(shown()))
    used = {name for tag, attributes in read.tags for name in attributes}
    assert used <= {"lang", "charset", "http-equiv", "name", "content", "class", "id", "href"}
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    places = {f"#{attributes['id']}" for _, attributes in read.tags if "id" in attributes}
    assert {attributes["href"] for _, attributes in read.tags if "href" in attributes} <= places
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"},
    ) in read.tags
    assert "url(" not in page(shown())
    assert "@import" not in page(shown())


def test_what_others_wrote_stays_text():
    text = page(hostile())
    assert "<script" not in text
    assert "\x00" not in text
    assert "</pre><script>" in "".join(Page(text).said)


def test_the_page_says_what_terminal_and_matrix_say():
    said = "".join(Page(page(outcome(expired=[KNOWN], crowded_out=3))).said)
    for word in ("1 causes are unexplained", "past their day", "3 findings had no room", "sdk@1 deviates", "Reads texts."):
        assert word in said
    assert "They agree" in page(outcome(new=[]))


# The file format that Jenkins, GitLab and GitHub's reporters read, as the schema known as junit-10.xsd has it:
# element → (attributes it may have, those it must have, children in order).
JUNIT = {
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "group"},
        {"name", "tests", "failures", "errors"}, ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, {"name", "value"}, []),
    "testcase": ({"name", "classname", "time", "group"}, {"name", "classname", "time"}, [
        "skipped", "error", "failure", "system-out", "system-err",
    ]),
    "failure": ({"message", "type"}, {"message", "type"}, []),
    "system-out": (set(), set(), []),
}  # fmt: skip


@pytest.mark.parametrize("shown", [outcome, hostile])
def test_junit_has_the_shape_that_ci_servers_read(shown):
    suite = ET.fromstring(junit(shown()))
    assert suite.tag == "testsuite"
    for element in suite.iter():
        may, must, children = JUNIT[element.tag]
        assert must <= set(element.attrib) <= may, element.tag
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order), element.tag
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    assert (suite.get("errors"), suite.get("skipped"), suite.get("time")) == ("0", "0", "5.000")


def test_junit_fails_for_new_causes_entries_past_their_day_and_findings_without_room():
    suite = ET.fromstring(junit(outcome(expired=[KNOWN], crowded_out=1)))
    failed = [case.get("name") for case in suite.findall("testcase") if case.find("failure") is not None]
    assert failed == ["sdk@1: value · order · number · text", "expired: texts", "room for all findings"]
    assert ET.fromstring(junit(outcome(new=[]))).get("failures") == "0"
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert (properties["seed"], properties["repeat"]) == ("7", outcome().repeat())


def test_markdown_stays_a_table_and_code_whatever_subjects_are_called():
    text = markdown(hostile())
    assert "\n```\n" in text
    odd = "a`b``c|d\ne"
    assert code(odd) == "``` a`b``c|d e ```"
    assert code("plain") == "`plain`"
    [row] = [line for line in markdown(outcome(took=[Took("a|b", "1", is_base=True)])).splitlines() if line.startswith("| a")]
    assert row.count("|") - row.count("\\|") == 7


def test_the_json_is_of_the_published_schema_and_names_its_format():
    checked_in = json.loads((Path(__file__).resolve().parents[3] / "docs" / "flags-harness.schema.json").read_bytes())
    assert checked_in == json.loads(msgspec.json.encode(schema())), (
        "python -m harness.reports.schema > docs/flags-harness.schema.json"
    )
    for shown in (outcome(), hostile(), outcome(expired=[KNOWN])):
        written = json.loads(as_json(shown))
        jsonschema.validate(written, checked_in)
        assert written["format"] == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "format": 2}, checked_in)


def test_programs_for_compiled_sdks_keep_definitions_and_texts_as_they_are():
    person = {"distinct_id": 'é"\\😀', "person_properties": {"a": [1, 1.5, None, True], "b": {"c": "\u2028"}}, "device_id": "d"}
    written = programs(Specimen(SPECIMEN.definitions, person, SPECIMEN.flag_key))
    pasted = json.dumps(json.dumps(SPECIMEN.definitions))
    assert all(pasted in written[language] for language in ("go", "rust", "java"))
    assert r'"é\"\\😀"' in written["go"]
    assert '"a": []any{1, 1.5, nil, true}, "b": map[string]any{"c": ' in written["go"]
    assert '"$device_id": "d"' in written["go"]
    assert all(line.isascii() for line in written["rust"].splitlines() if line.startswith("const"))


def test_a_reproducer_comes_as_a_program_in_every_language():
    written = programs(SPECIMEN)
    assert list(written) == ["python", "node", "go", "rust", "java", "lines"]
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
