"""The relation of two answers, kind by kind."""

import pytest

from harness.compare import Kind, compare, same_json
from harness.subjects.protocol import Status, Verdict

DECLINED = Verdict(Status.INCONCLUSIVE)
FAILED = Verdict(Status.FAILED)


def value(value, payload=None):
    return Verdict(Status.VALUE, value, payload)


@pytest.mark.parametrize(
    ("base", "subject", "kind"),
    [
        (value(True), value(True), Kind.AGREE),
        (value(True), value(False), Kind.VALUE),
        (value(True), value("true"), Kind.VALUE),
        (value("a", '{"x":1}'), value("a", {"x": 1}), Kind.AGREE),
        (value("a", '{"x":1}'), value("a", '{ "x" : 1 }'), Kind.AGREE),
        (value("a", "1"), value("a", 1.0), Kind.PAYLOAD),
        (value("a", "not json"), value("a", "not json"), Kind.AGREE),
        (value("a", "1"), value("a", None), Kind.PAYLOAD),
        (value("a", "1"), value("b", "2"), Kind.VALUE),
        (DECLINED, DECLINED, Kind.BOTH_DECLINE),
        (value(True), DECLINED, Kind.SUBJECT_DECLINES),
        (DECLINED, value(True), Kind.BASE_DECLINES),
        (FAILED, FAILED, Kind.AGREE),
        (FAILED, value(False), Kind.FAILURE),
        (DECLINED, FAILED, Kind.FAILURE),
        (FAILED, DECLINED, Kind.BOTH_DECLINE),
        (None, None, Kind.AGREE),
        (None, value(False), Kind.PRESENCE),
        (DECLINED, None, Kind.PRESENCE),
    ],
)
def test_every_pair_of_answers_has_one_kind(base, subject, kind):
    assert compare(base, subject) is kind


def test_a_payload_that_only_python_reads_is_a_text_like_any_other():
    answer = Verdict(Status.VALUE, value=True, payload="NaN")
    assert compare(answer, answer) is Kind.AGREE


def test_declining_is_no_difference_and_disagreeing_is():
    assert {kind for kind in Kind if kind.is_difference} == set(Kind) - {
        Kind.AGREE,
        Kind.BOTH_DECLINE,
        Kind.SUBJECT_DECLINES,
        Kind.BASE_DECLINES,
    }


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, True, False),
        (1, 1.0, False),
        (0, False, False),
        ({"a": [1, {"b": None}], "c": 1}, {"c": 1, "a": (1, {"b": None})}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [1], False),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_json_kinds_are_kept_apart(left, right, same):
    assert same_json(left, right) is same
    assert same_json(right, left) is same
