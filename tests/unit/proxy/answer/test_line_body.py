"""A body gets a key only when we and the service must read the same thing in it."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from proxy.answer.intake.body import DEEPEST, LONGEST_LOOK, Framing, Trouble, gunzip, inflate, media_type, read_strictly
from proxy.answer.intake.lenient import MOST_ESCAPES, read_leniently

JSON = Framing("application/json", "", None)
PLAIN = {"token": "t", "distinct_id": "u", "person_properties": {"a": 1}}


def test_a_plain_object_is_read_under_the_first_names_of_its_fields() -> None:
    text = b'{"api_key": "t", "$distinct_id": "u", "$groups": {}, "flag_keys_to_evaluate": ["a"]}'
    assert read_strictly(text) == {"token": "t", "distinct_id": "u", "groups": {}, "flag_keys": ["a"]}


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (" , ", " : ")])
def test_blanks_between_tokens_do_not_matter(separators: tuple[str, str]) -> None:
    assert read_strictly(json.dumps(PLAIN, separators=separators).encode()) == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a":1,"a":2}',
        b'{"p": {"a": 1, "a": 2}}',
        b'{"p": [[{"a": 1, "a": 2}]]}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a" : 1, "a" :1}',
        b'{"x": "\\":", "a": "\\u003a", "a": ":"}',
        b'{"a":":","a":"\\u003a"}',
        b'{"a":100000.0,"b":1e5,"b":1e5}',
    ],
)
def test_a_key_named_twice_at_any_depth_is_not_strict(text: bytes) -> None:
    assert read_strictly(text) is None


@pytest.mark.parametrize(
    "text", [b'{"token":"t","api_key":"t"}', b'{"api_key":"t","$token":"t"}', b'{"groups":{},"$groups":null}']
)
def test_two_aliases_of_one_field_are_not_strict(text: bytes) -> None:
    assert read_strictly(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'"a"',
        b"{",
        b"{} x",
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"a": -0}',
        b'{"a": [-0]}',
    ],
)
def test_what_is_not_strict_json_is_not_read(text: bytes) -> None:
    assert read_strictly(text) is None


def test_strings_that_look_like_keys_or_escapes_are_read_all_the_same() -> None:
    odd = {"token": 't":', "a\\": ':"', "é": "\u2028 é", "n": [1, 1.0, 10**30, -0.0, 1e3], "-0": "-0"}
    assert read_strictly(json.dumps(odd).encode()) == odd
    assert read_strictly(json.dumps(odd, ensure_ascii=False).encode()) == odd


def test_integers_floats_and_huge_integers_stay_what_they_are() -> None:
    found = read_strictly(b'{"i": 1, "f": 1.0, "h": 123456789012345678901234567890}')
    assert found is not None
    assert [type(found["i"]), type(found["f"]), found["h"]] == [int, float, 123456789012345678901234567890]


@pytest.mark.parametrize("framing", [JSON, Framing("text/plain", "", "gzip-js"), Framing("text/plain", "x-gzip", None)])
def test_gzip_is_told_by_query_header_or_magic(framing: Framing) -> None:
    assert inflate(gzip.compress(b"{}", mtime=0), framing, inflated_bytes=100) == b"{}"


@pytest.mark.parametrize(
    ("raw", "framing"),
    [
        (b"{}", Framing("application/json", "", "gzip")),
        (b"{}", Framing("application/json", "gzip", None)),
        (b"{}", Framing("application/json", "", "lz64")),
        (b"{}", Framing("application/xml", "", None)),
        (gzip.compress(b"{}", mtime=0)[:-4], JSON),
        (b"\x1f\x8bgarbage", JSON),
    ],
)
def test_what_the_service_could_not_decode_is_unreadable(raw: bytes, framing: Framing) -> None:
    assert inflate(raw, framing, inflated_bytes=100) is Trouble.UNREADABLE


def test_a_bomb_is_refused_at_the_limit() -> None:
    assert gunzip(gzip.compress(b" " * 5_000_000), limit=4_000_000) is Trouble.TOO_LARGE
    assert gunzip(gzip.compress(b" " * 4_000_000), limit=4_000_000) == b" " * 4_000_000


def test_the_media_type_is_json_when_nothing_is_said() -> None:
    assert media_type(None) == "application/json"
    assert media_type("Text/Plain; charset=utf-8") == "text/plain"


@pytest.mark.parametrize(
    ("raw", "framing"),
    [
        (b"{token: 't',} // x", JSON),
        (b"eyJ0b2tlbiI6InQifQ==", JSON),
        (b"eyJ0b2tlbiI6InQifQ%3D%3D", JSON),
        (b"eyJ0b2tlbiI6InQifQ", Framing("text/plain", "", "base64")),
        (b"data=eyJ0b2tlbiI6InQifQ%3D%3D", Framing("application/x-www-form-urlencoded", "", None)),
        (gzip.compress(b"{token: 't'}", mtime=0), JSON),
        (b'{"token": "t", "token": "t"}', JSON),
    ],
)
def test_the_token_of_a_lenient_body_is_found(raw: bytes, framing: Framing) -> None:
    found = read_leniently(raw, framing, inflated_bytes=1000)
    assert found is not None
    assert found["token"] == "t"


@pytest.mark.parametrize("raw", [b"", b"[1]", b"!!!", b"{", b"\xff\xfe", b"[" * 5000])
def test_a_body_that_nobody_can_read_has_no_fields(raw: bytes) -> None:
    assert read_leniently(raw, JSON, inflated_bytes=1000) is None


@pytest.mark.parametrize("depth", [126, 127, 128, 900, 980, 985, 990, 1100])
def test_what_is_nested_too_deep_for_the_way_ahead_is_not_strict(depth: int) -> None:
    lists = b'{"token":"t","x":' + b"[" * depth + b"]" * depth + b"}"
    objects = b'{"token":"t","x":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    for text in (lists, objects):
        assert (read_strictly(text) is not None) == (depth + 1 <= DEEPEST)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_strictly(b'{"x":[' + b"[]," * 500 + b"[]]}") is not None


def test_a_text_too_long_to_be_looked_at_piece_by_piece_is_not_strict() -> None:
    for piece in (b"1e1", b"[]"):
        text = b'{"x":[' + b",".join([piece] * LONGEST_LOOK) + b"]}"
        assert read_strictly(text) is None
    assert read_strictly(b'{"x":"' + b"y" * LONGEST_LOOK + b'"}') is not None


def test_a_text_of_nothing_but_escapes_is_not_decoded() -> None:
    form = Framing("application/x-www-form-urlencoded", "", None)
    body = b"".join(b"%%%02x" % letter for letter in base64.b64encode(b'{"token":"t"}'))
    for framing in (JSON, form):
        assert read_leniently(body, framing, inflated_bytes=1 << 22) == {"token": "t"}
        assert read_leniently(body + b"%20" * MOST_ESCAPES, framing, inflated_bytes=1 << 22) is None
