"""Wall clocks in a known zone, and what can be said in an unknown one (contract §7.4)."""

# ruff: noqa: DTZ001 - wall clocks have no zone
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.matching.dates.civil import SECOND, wall_of
from reference.matching.dates.zones import UTC_ZONE, datetime_of, every_zone, instant_in, instant_of, wall_in
from reference.matching.match import Moment, View
from reference.matching.operators import compile_filter
from tests.unit.reference.matching.asking import NOW, ask, said

OSLO = ZoneInfo("Europe/Oslo")
HOUR = 3600
UNKNOWN = "timezone_unknown"


def _at(hour: int, minute: int = 0) -> int:
    return hour * HOUR + minute * 60


def test_a_gap_is_no_instant_from_its_first_second_to_its_last() -> None:
    assert instant_in(wall_of(2024, 3, 31, _at(2) - 1), OSLO) == wall_of(2024, 3, 31, _at(1) - 1)
    assert instant_in(wall_of(2024, 3, 31, _at(2)), OSLO) is None
    assert instant_in(wall_of(2024, 3, 31, _at(3) - 1, 999_999_999), OSLO) is None
    assert instant_in(wall_of(2024, 3, 31, _at(3)), OSLO) == wall_of(2024, 3, 31, _at(1))


def test_an_overlap_means_its_earlier_instant() -> None:
    assert instant_in(wall_of(2024, 10, 27, _at(2)), OSLO) == wall_of(2024, 10, 27, 0)
    assert instant_in(wall_of(2024, 10, 27, _at(2, 59)), OSLO) == wall_of(2024, 10, 27, _at(0, 59))
    assert instant_in(wall_of(2024, 10, 27, _at(3)), OSLO) == wall_of(2024, 10, 27, _at(2))


def test_offsets_end_with_the_calendar_and_the_table_of_zones() -> None:
    assert instant_in(wall_of(-262_143, 1, 1), OSLO) is None
    assert instant_in(wall_of(-262_143, 1, 1), UTC_ZONE) is not None
    assert instant_in(wall_of(262_142, 12, 31, _at(23)), ZoneInfo("America/New_York")) is None
    # chrono-tz knows nothing past 2099: winter time for ever in the north, summer time in the south.
    assert instant_in(wall_of(2150, 7, 1), OSLO) == wall_of(2150, 6, 30, _at(23))
    assert instant_in(wall_of(2150, 7, 1), ZoneInfo("Australia/Sydney")) == wall_of(2150, 6, 30, _at(13))


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)))
def test_every_instant_is_found_again_from_its_wall_clock_unless_it_is_the_later_of_two(naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    found = instant_in(wall_in(now, OSLO), OSLO)
    assert found in {instant_of(now), instant_of(now - timedelta(hours=1))}
    assert datetime_of(instant_of(now)) == now.replace(microsecond=0)


def test_all_zones_are_there_the_extreme_ones_first() -> None:
    names = [zone.key for zone in every_zone()]
    assert names[:3] == ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
    assert len(names) == len(set(names)) > 400
    assert {"Europe/Oslo", "America/Sao_Paulo", "Asia/Kolkata"} <= set(names)


# operator, filter, property, answer
FAR_APART = [
    ("is_date_before", "2024-06-01", "2024-05-20T00:00:00Z", True),
    ("is_date_after", "2024-06-01", "2024-05-20T00:00:00Z", False),
    ("is_date_exact", "2024-06-01", "2024-05-20T00:00:00Z", False),
    ("is_date_after", "2024-06-01", 2_000_000_000, True),
    ("is_date_before", "2024-06-01", "2024-05-20", True),
    ("is_date_after", "-30d", "2024-03-31T00:00:00Z", True),
    ("is_date_before", "-30d", "2024-03-31T00:00:00Z", False),
    ("is_date_after", "-3h", "2024-05-20", True),
    ("is_date_before", "-3m", "2023-01-01T00:00:00Z", True),
    # the edges of the bounds: an offset is less than 16 hours
    ("is_date_before", "2024-06-02 00:00", "2024-06-01T07:59:59Z", True),
    ("is_date_after", "2024-06-02 00:00", "2024-06-02T16:00:01Z", True),
]


@pytest.mark.parametrize(("operator", "wanted", "value", "answer"), FAR_APART)
def test_dates_far_apart_need_no_zone(operator: str, wanted: str, value: object, answer: bool) -> None:
    assert said(ask(operator, wanted, value, zone=None)) is answer


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("is_date_before", "2024-06-01", "2024-06-01T00:00:00Z"),
        ("is_date_after", "2024-06-01", "2024-05-31T10:00:01Z"),  # later than midnight in Kiritimati
        ("is_date_exact", "2024-06-01", "2024-06-01T00:00:00Z"),
        ("is_date_exact", "2024-06-01 05:45", "2024-06-01T00:00:00Z"),  # Kathmandu
        ("is_date_after", "-1d", "2024-03-30T12:30:00Z"),
        ("is_date_before", "2024-03-31", "2024-03-01T00:00:00Z"),  # Beirut skipped that midnight
        ("is_date_after", "2024-03-31 02:30", "2024-04-20"),  # as did Oslo that half hour
        ("is_date_exact", "2024-03-31 02:30", "2024-03-31 02:30"),
    ],
)
def test_dates_that_a_zone_decides_are_not_compared_without_one(operator: str, wanted: str, value: object) -> None:
    assert said(ask(operator, wanted, value, zone=None)) == UNKNOWN


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "answer"),
    [
        ("is_date_exact", "2024-06-01", "2024-06-01", True),
        ("is_date_before", "2024-06-02", "2024-06-01", True),
        ("is_date_before", "2024-06-01", "2024-06-02", False),
        ("is_date_exact", "2024-06-01 00:00:01", "2024-06-01T00:00:00Z", False),
        ("is_date_before", "2024-06-01T12:00:00Z", "2024-05-31 21:59:59", True),
        ("is_date_after", "2024-06-01T12:00:00Z", "2024-06-02 02:00:01", True),
        ("is_date_exact", "-1d", "2024-06-01T00:00:00.000001Z", False),
    ],
)
def test_close_dates_are_compared_where_all_zones_agree(operator: str, wanted: str, value: object, answer: bool) -> None:
    now = datetime(2024, 6, 2, 12, tzinfo=UTC)
    assert said(ask(operator, wanted, value, zone=None, now=now)) is answer


def test_dates_with_offsets_never_need_a_zone() -> None:
    assert said(ask("is_date_exact", "2024-06-01T00:00:00Z", "2024-06-01T02:00:00+02:00", zone=None)) is True
    assert said(ask("is_date_before", "2024-06-01T00:00:00Z", 1717199999.5, zone=None)) is True
    assert said(ask("is_date_before", "2024-06-01T00:00:00Z", 1717200000, zone=None)) is False


@pytest.mark.parametrize(
    ("now", "value", "operator", "answer"),
    [
        # no clock in the world changed in those days: the span is exact without a zone
        ("2024-06-15T00:30:00Z", "2024-06-14T00:30:00Z", "is_date_exact", True),
        ("2024-06-15T00:30:00Z", "2024-06-14T00:30:01Z", "is_date_after", True),
        ("2024-06-15T00:30:00Z", "2024-06-14T00:29:59Z", "is_date_after", False),
        # America sprang forward: a day of its clocks was 23 hours
        ("2024-03-10T20:00:00Z", "2024-03-09T20:59:59Z", "is_date_after", UNKNOWN),
        ("2024-03-10T20:00:00Z", "2024-03-09T21:00:01Z", "is_date_after", True),
        # and Morocco went back: 25 hours there
        ("2024-03-10T20:00:00Z", "2024-03-09T19:00:01Z", "is_date_after", UNKNOWN),
        ("2024-03-10T20:00:00Z", "2024-03-09T18:59:59Z", "is_date_after", False),
    ],
)
def test_a_day_ago_is_as_vague_as_the_clocks_of_the_world_made_it(now: str, value: str, operator: str, answer: object) -> None:
    assert said(ask(operator, "-1d", value, zone=None, now=datetime.fromisoformat(now))) == answer
    assert said(ask(operator, "-24h", value, zone=None, now=datetime.fromisoformat(now))) == answer


def test_a_span_that_some_clock_cannot_reach_is_not_answered_without_a_zone() -> None:
    now = datetime(2024, 4, 1, 0, 30, tzinfo=UTC)
    assert said(ask("is_date_before", "-1d", "2024-01-01T00:00:00Z", zone=None, now=now)) == UNKNOWN
    assert said(ask("is_date_after", "-1d", "2024-01-01T00:00:00Z", zone=None, now=now)) is False
    calm = datetime(2024, 6, 15, 0, 30, tzinfo=UTC)
    assert said(ask("is_date_before", "-1d", "2024-01-01T00:00:00Z", zone=None, now=calm)) is True


ZONES = [
    "UTC",
    "Europe/Oslo",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Beirut",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
]
NAIVE = st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1)).map(
    lambda at: at.replace(microsecond=0, second=0, minute=at.minute // 30 * 30)
)
DATES = st.one_of(
    NAIVE.map(lambda at: at.strftime("%Y-%m-%d %H:%M")),
    NAIVE.map(lambda at: at.strftime("%Y-%m-%d")),
    NAIVE.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:00Z")),
    st.builds("{}{}".format, st.integers(0, 40), st.sampled_from("hdwmy")),
)


@given(st.sampled_from(["is_date_exact", "is_date_before", "is_date_after"]), DATES, DATES, NAIVE, st.sampled_from(ZONES))
def test_an_answer_without_a_zone_is_the_answer_in_every_zone(
    operator: str, wanted: str, value: str, now: datetime, zone: str
) -> None:
    compiled = compile_filter(
        PropertyFilter(key="k", type=FilterType.PERSON, operator=Operator(operator), value=wanted), explicit_matching=False
    )
    moment = now.replace(tzinfo=UTC)
    anywhere = said(compiled(View({"k": value}, Moment(moment, None), complete=False)))
    if anywhere != UNKNOWN:
        assert said(compiled(View({"k": value}, Moment(moment, ZoneInfo(zone)), complete=True))) is anywhere


def test_the_same_question_has_the_same_answer_later_on() -> None:
    answers = [
        said(ask("is_date_after", "-7d", "2024-03-30T00:00:00Z", zone=None, now=NOW + timedelta(seconds=s)))
        for s in (0, 1, 600)
    ]
    assert answers == [True, True, True]
    assert wall_in(NOW, OSLO) == instant_of(NOW) + 2 * HOUR * SECOND
