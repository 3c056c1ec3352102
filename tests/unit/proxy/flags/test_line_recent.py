"""A body is recognised by its bytes only when everything but the top-level `sent_at` is the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.answer.intake.body import read_strictly
from proxy.edge.flags.recent import is_recognisable, without_sent_at

PLAIN = b'{"token": "t", "sent_at": "2026-11-22T10:00:00Z", "distinct_id": "u"}'
FRAGMENTS = st.sampled_from(
    [b'"sent_at"', b": ", b":", b'"', b"a", b", ", b'"b"', b"\\", b"{", b"}", b" ", b'"sent_at": "x"', b'""', b"1"]
)


def test_the_time_of_sending_is_left_out() -> None:
    later = PLAIN.replace(b"10:00", b"11:30")
    assert without_sent_at(PLAIN) == without_sent_at(later) == b'{"token": "t", "sent_at": "", "distinct_id": "u"}'
    assert is_recognisable(PLAIN, has_sent_at=True)


@pytest.mark.parametrize(
    "text",
    [
        b'{"person_properties": {"sent_at": "x"}}',
        b'{"sent_at": "x", "person_properties": {"sent_at": "y"}}',
        b'{"\\u0073ent_at": "x", "person_properties": {"sent_at": "y"}}',
        b'{"a": "sent_at", "sent_at": "x"}',
        b'{"a": "\\"", "sent_at": "x"}',
        b'{"a": "' + b"x" * 3000 + b'"}',
    ],
)
def test_a_text_in_which_another_sent_at_could_be_meant_is_not_recognisable(text: bytes) -> None:
    fields = read_strictly(text)
    assert fields is not None
    assert not is_recognisable(text, has_sent_at="sent_at" in fields)


@given(parts=st.lists(FRAGMENTS, max_size=8), others=st.lists(FRAGMENTS, max_size=8), value=st.text("ab:, {}", max_size=4))
def test_what_looks_like_a_recognisable_text_reads_the_same_but_for_sent_at(
    parts: list[bytes], others: list[bytes], value: str
) -> None:
    known = b'{"x": [' + b"".join(parts) + b'], "sent_at": "' + value.encode() + b'"}'
    asked = b'{"x": [' + b"".join(others) + b'], "sent_at": "later"}'
    fields = read_strictly(known)
    if fields is None or not is_recognisable(known, has_sent_at="sent_at" in fields):
        return
    for text in (asked, known.replace(value.encode(), b"later")):
        if without_sent_at(text) == without_sent_at(known):
            again = read_strictly(text)
            assert again is not None
            assert again | {"sent_at": 0} == fields | {"sent_at": 0}
