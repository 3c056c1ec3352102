"""Right answers from a file: what is compared, and files that are none."""

import json

import pytest

from load.expected import MISSING, WRONG, WRONG_PAYLOAD, entries, unreadable, verdict

HEAD = {"expect": 1}
ENTRY = {
    "request": {"distinct_id": "a"},
    "flags": {"f": {"value": "v", "payload": '"p"', "by": "reference"}},
    "open": ["g"],
    "disputed": [],
}


def record(**changes):
    return {"enabled": True, "variant": "v", "metadata": {"payload": '"p"'}, **changes}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"flags": {"f": record(), "g": record(variant="anything")}}, None),
        ({"flags": {"f": record(variant="w")}}, WRONG),
        ({"flags": {"f": record(variant=None)}}, WRONG),
        ({"flags": {"f": record(metadata={"payload": None})}}, WRONG_PAYLOAD),
        ({"flags": {}}, MISSING),
        ({"flags": []}, MISSING),
        (None, MISSING),
    ],
)
def test_only_what_somebody_vouches_for_is_compared_and_a_missing_flag_is_wrong(answer, found):
    assert verdict(ENTRY, answer) == found


def test_true_and_one_are_two_values():
    entry = {"flags": {"f": {"value": True, "payload": None}}}
    assert verdict(entry, {"flags": {"f": {"enabled": 1, "variant": None}}}) == WRONG


def test_a_file_is_read_line_by_line(tmp_path):
    file = tmp_path / "expected.jsonl"
    file.write_text(f"{json.dumps(HEAD)}\n{json.dumps(ENTRY)}\n")
    assert unreadable(file) is None
    assert entries(file) == [ENTRY]


@pytest.mark.parametrize("text", [None, "", "{}\n", "{}\n{}\n", '{"expect": 2}\n{"request": {}}\n', "[]\n[]\n", "no\n"])
def test_what_is_no_file_of_right_answers_is_said_with_the_remedy(tmp_path, text):
    file = tmp_path / "expected.jsonl"
    if text is not None:
        file.write_text(text)
    assert "flags-harness expect" in unreadable(file)
