"""Decoding of bodies without a socket: values that the wire tables cannot show, and that nothing makes it raise."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.request.fields import FlagsBody, read_fields
from reference.response import Refusal
from reference.service.intake.body import decode_body
from reference.service.intake.query import read_flags_query

TYPES = st.sampled_from([None, "application/json", "text/plain", "application/x-www-form-urlencoded", "image/png", ";"])
COMPRESSIONS = st.sampled_from([None, "", "gzip", "gzip-js", "base64", "br"])
PIECES = st.sampled_from(
    [b"{", b"}", b'"', b"[", b"data=", b"\x1f\x8b", b"%7B", b"e30=", b"NaN", b"/*", b"\\u", b"\xff", b"1e999"]
)
BODIES = st.binary(max_size=40) | st.lists(PIECES | st.binary(max_size=4), max_size=8).map(b"".join)


def decode(body: bytes, **told: str) -> object:
    return decode_body(body, content_type=told.get("content_type"), encoding=told.get("encoding"), compression=None)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "+Infinity"])
def test_numbers_that_json_lacks_become_null_wherever_they_stand(number):
    assert decode(f'{{"x":{number},"y":[{number},{{"z":{number}}},1.5]}}'.encode()) == {
        "x": None,
        "y": [None, {"z": None}, 1.5],
    }


def test_bad_utf8_is_replaced_and_keeps_the_rest():
    assert decode(b'{"x":"a\xffb"}') == {"x": "a\ufffdb"}


def test_integers_are_exact_and_kinds_are_kept():
    assert json.dumps(decode(b'{"a":123456789012345678901,"b":1.0,"c":1}')) == '{"a": 123456789012345678901, "b": 1.0, "c": 1}'


def test_nesting_is_bounded_but_not_before_128():
    deep = b"[" * 120 + b"]" * 120
    assert isinstance(decode(b'{"x":' + deep + b",}"), dict)
    assert decode(b'{"x":' + b"[" * 5000 + b"]" * 5000 + b",}") is Refusal.INVALID_JSON


def test_a_bomb_is_refused_without_being_inflated_whole():
    assert decode(gzip.compress(bytes(64 << 20))) is Refusal.INFLATED_TOO_LARGE


@given(BODIES, TYPES, COMPRESSIONS, st.sampled_from([None, "gzip", "br", "gzip, br"]))
def test_no_body_makes_decoding_raise(body, content_type, compression, encoding):
    document = decode_body(body, content_type=content_type, encoding=encoding, compression=compression)
    if not isinstance(document, Refusal):
        assert isinstance(read_fields(document), FlagsBody | Refusal)


@given(st.text(st.sampled_from("v_=&12%é+version config;-"), max_size=30))
def test_no_query_makes_reading_raise(text):
    assert isinstance(read_flags_query(text), dict | str)
