"""The draft of an entry: valid as data, and claiming its cause alone."""

import tomllib
from datetime import date

import msgspec
import pytest

from harness.known import Known
from harness.reports.triage import entry
from harness.search.cause import Cause, Specimen
from harness.search.state import Finding

TODAY = date(2026, 11, 23)


def drafted(cause):
    text = "\n".join(entry(Finding(cause, Specimen({"flags": []}, {}, "a")), TODAY))
    [known] = msgspec.convert(tomllib.loads(text)["divergence"], list[Known])
    return known


@pytest.mark.parametrize(
    ("base", "feature"),
    [
        ("reference", "order"),
        ("service", "cohort, [empty]*?"),
        ("reference", 'a "quoted"\\ \x7f\n feature'),
        ("reference", "–"),
    ],
)
def test_a_draft_claims_its_cause_and_no_other(base, feature):
    cause = Cause(base, "sdk@1", "value", feature, "list of [text]", "text")
    known = drafted(cause)
    assert known.claims(cause)
    for change in ({"feature": "other"}, {"property": "number"}, {"subject": "sdk@2"}, {"kind": "payload"}):
        assert not known.claims(msgspec.structs.replace(cause, **change))


def test_a_draft_leaves_to_a_person_what_only_a_person_can_say():
    known = drafted(Cause("reference", "sdk@1", "value", "order", "number", "text"))
    assert (known.deviates, known.why, known.evidence) == ("", "", "")
    assert (known.id, known.expires) == ("order-number", date(2027, 5, 22))
