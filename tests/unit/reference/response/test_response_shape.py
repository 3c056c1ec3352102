"""Which shape a request gets: contract §1.5 and §3.1, row by row."""

from __future__ import annotations

import pytest

from reference.response import Asked, Shape, choose_shape, read_flag, read_version

FLAGS_ROWS = [
    # v, config, shape, config merged
    (None, None, Shape.V2, True),
    ("", None, Shape.V2, True),
    (None, "true", Shape.LEGACY, True),
    (None, "", Shape.LEGACY, True),
    (None, "false", Shape.LEGACY, False),
    ("1", None, Shape.LEGACY, False),
    ("0", None, Shape.LEGACY, False),
    ("-3", None, Shape.LEGACY, False),
    ("banana", None, Shape.LEGACY, False),
    ("2", None, Shape.V2, False),
    ("2", "1", Shape.V2, True),
    ("2", "off", Shape.V2, False),
    ("+2", None, Shape.V2, False),
    ("3", None, Shape.V3, False),
    ("4", None, Shape.V3, False),
    ("99999999999", None, Shape.LEGACY, False),
]
DECIDE_ROWS = [
    (None, None, Shape.DECIDE_1, True),
    ("1", None, Shape.DECIDE_1, True),
    ("x", "no", Shape.DECIDE_1, False),
    ("2", None, Shape.DECIDE_2, True),
    ("3", None, Shape.LEGACY, True),
    ("4", "0", Shape.V2, False),
    ("9", None, Shape.V2, True),
]
GET_ROWS = [(None, Shape.LEGACY), ("", Shape.LEGACY), ("x", Shape.LEGACY), ("1", Shape.LEGACY), ("2", Shape.V2)]


@pytest.mark.parametrize(("v", "config", "shape", "merged"), FLAGS_ROWS)
def test_flags_shape_follows_v_and_config(v, config, shape, merged):
    assert choose_shape(False, v, config=config) == Asked(shape, merged)


@pytest.mark.parametrize(("v", "config", "shape", "merged"), DECIDE_ROWS)
def test_decide_header_has_its_own_table_and_config_by_default(v, config, shape, merged):
    assert choose_shape(True, v, config=config) == Asked(shape, merged)


@pytest.mark.parametrize(("v", "shape"), GET_ROWS)
def test_get_does_not_take_the_default_of_a_bare_post(v, shape):
    assert choose_shape(False, v, method="GET").shape is shape


@pytest.mark.parametrize(
    ("text", "number"),
    [("2147483647", 2147483647), ("2147483648", 1), ("-2147483648", -2147483648), ("2.0", 1), (" 2", 1), ("٢", 1), ("2_0", 1)],
)
def test_version_is_a_32_bit_integer_or_counts_as_one(text, number):
    assert read_version(text) == number


@pytest.mark.parametrize("text", ["false", "0", "no", "off", "FALSE", "No"])
def test_lenient_boolean_knows_four_ways_to_say_no(text):
    assert read_flag(text) is False


@pytest.mark.parametrize("text", ["", "true", "1", "yes", "on", "banana", " false"])
def test_lenient_boolean_takes_anything_else_for_yes(text):
    assert read_flag(text) is True
