"""The panel over scripted subjects: twins in another zone, capabilities, reasons for declining, and less waiting on request."""

import pytest

from harness.compare import Kind
from harness.search.panel import Panel, related
from harness.subjects.child import Launch
from harness.subjects.protocol import DriverError, Reply, Status, Verdict

DOCUMENT = {"flags": [{"key": "f"}]}
PERSON = {"distinct_id": "a"}


UNDECIDED = Verdict(Status.INCONCLUSIVE)


class Subject:
    """Answers every request with one value or verdict, and remembers what it was asked."""

    def __init__(self, name, value, *capabilities):
        self.launch = Launch(name=name, command=())
        self.capabilities = capabilities
        self.answer_s = 20.0
        self.asked = []
        self._verdict = value if isinstance(value, Verdict) else Verdict(Status.VALUE, value=value)

    async def load(self, _definitions):
        return Reply(ok=True)

    async def ask(self, requests, *, patience=None):
        assert patience is not None
        self.asked += requests
        return [Reply(flags={"f": self._verdict}) for _ in requests]


class Refusing(Subject):
    """Takes no definitions."""

    async def load(self, _definitions):
        return Reply(error=DriverError("refused", "33.3"))


async def compared(panel):
    return [(one.base, one.subject, one.kind) for one in await panel.differences(DOCUMENT, [PERSON])]


async def test_a_twin_is_held_against_its_own_first_self_and_the_zone_stands_in_its_name():
    base, subject, twin = Subject("reference", True), Subject("sdk@1", False), Subject("sdk@1 in Asia/Kathmandu", True)
    panel = Panel(base, [subject], [(subject, twin)])
    assert await compared(panel) == [
        ("reference", "sdk@1", "value"),
        ("sdk@1", "sdk@1 in Asia/Kathmandu", "value"),
    ]
    assert [len(one.asked) for one in (base, subject, twin)] == [1, 1, 1]


async def test_what_a_twin_shares_with_its_first_self_is_one_finding_and_not_two():
    subject = Subject("sdk@1", False)
    panel = Panel(Subject("reference", True), [subject], [(subject, Subject("sdk@1 in Asia/Kathmandu", False))])
    assert await compared(panel) == [("reference", "sdk@1", "value")]


async def test_two_that_refuse_a_document_alike_are_told_from_one_that_refuses_it_alone():
    subject, twin = Refusing("sdk@1", False), Refusing("sdk@1 in Asia/Kathmandu", False)
    panel = Panel(Subject("reference", True), [subject], [(subject, twin)])
    assert await compared(panel) == [
        ("reference", "sdk@1", "refused"),
        ("sdk@1", "sdk@1 in Asia/Kathmandu", "both refused"),
    ]


async def test_a_part_of_the_panel_asks_only_those_who_are_compared_in_it():
    subject, twin = Subject("sdk@1", False), Subject("sdk@1 in Asia/Kathmandu", True)
    base = Subject("reference", True)
    panel = Panel(base, [subject], [(subject, twin)])
    assert await compared(panel.only(twin.launch.name)) == [("sdk@1", "sdk@1 in Asia/Kathmandu", "value")]
    assert base.asked == []
    assert panel.compares("sdk@1", "sdk@1 in Asia/Kathmandu")
    assert not panel.compares("reference", "sdk@1 in Asia/Kathmandu")


async def test_those_without_a_capability_are_not_asked_and_what_is_asked_counts_in_the_whole():
    able, other = Subject("able", False, "clock"), Subject("other", False)
    panel = Panel(Subject("reference", True, "clock"), [able, other])
    part = panel.of_those_who({"clock"})
    assert await compared(part) == [("reference", "able", "value")]
    assert (other.asked, panel.tally.pairs) == ([], 1)
    assert panel.of_those_who({"clock", "memberships"}) is None


async def test_what_stands_beside_the_context_goes_onto_the_line():
    base, subject = Subject("reference", True), Subject("sdk@1", True)
    person = {**PERSON, "now": "2024-03-31T12:00:00+00:00", "request": {"timezone": "UTC", "flag_keys": ["f"]}}
    await Panel(base, [subject]).differences(DOCUMENT, [person])
    context = {"distinct_id": "a", "now": "2024-03-31T12:00:00+00:00"}
    assert subject.asked == [{"op": "evaluate", "context": context, "timezone": "UTC", "flag_keys": ["f"]}]


def test_who_hurries_waits_less_for_the_subject_until_done_also_when_it_fails():
    base, subject = Subject("reference", True), Subject("sdk@1", True)
    panel = Panel(base, [subject])
    with pytest.raises(ValueError, match="broken off"):
        break_off(panel.hurried(1.5), lambda: [base.answer_s, subject.answer_s])
    assert (base.answer_s, subject.answer_s) == (20.0, 20.0)


def break_off(hurry, waits):
    with hurry:
        assert waits() == [20.0, 1.5]
        raise ValueError("broken off")


def test_two_that_decline_for_different_reasons_differ_in_the_reason():
    one = Verdict(Status.INCONCLUSIVE, reason={"code": "no_condition_match"})
    other = Verdict(Status.INCONCLUSIVE, reason={"code": "missing_dependency"})
    assert related(one, None, other) is Kind.REASON
    assert related(one, None, one) is Kind.BOTH_DECLINE
    assert related(one, None, Verdict(Status.INCONCLUSIVE)) is Kind.BOTH_DECLINE
    failed = Verdict(Status.FAILED, reason={"code": "flag_defect"})
    assert related(failed, None, Verdict(Status.FAILED, reason={"code": "x"})) is Kind.REASON
    assert related(failed, None, Verdict(Status.FAILED)) is Kind.AGREE


async def test_declining_is_a_difference_between_versions_of_one_implementation_only():
    versions = Subject("sdk@1", True), [Subject("sdk@2", UNDECIDED)]
    assert await compared(Panel(*versions)) == []
    assert await compared(Panel(*versions, strict=True)) == [("sdk@1", "sdk@2", "subject declines")]
    assert await compared(Panel(*versions, strict=True).only("sdk@2")) == [("sdk@1", "sdk@2", "subject declines")]
