"""Replay what the service's own crates answered (see README.md here)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reference.matching.coerce import number_of_text
from reference.matching.dates.civil import SECOND
from reference.matching.dates.resolve import instant_at
from reference.matching.dates.texts import FOREIGN, parse_text
from reference.matching.match import Match, Moment, Unsure
from reference.matching.patterns.characters import DIGIT, SPACE, WORD
from reference.matching.patterns.compare import matches, matches_not
from reference.matching.text import json_text
from reference.matching.versions.requirement import parse_requirement
from reference.matching.versions.version import parse_strict

HERE = Path(__file__).parent
MOMENT = Moment(datetime(2024, 3, 31, 12, tzinfo=UTC), ZoneInfo("UTC"))


@cache
def _vectors() -> dict[str, Any]:
    return json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "least"),
    [
        ("regex", 4000),
        ("floats", 100),
        ("numbers", 70),
        ("orders", 700),
        ("requirements", 900),
        ("dates", 700),
        ("free_dates", 100),
    ],
)
def test_there_are_enough_vectors(section: str, least: int) -> None:
    assert len(_vectors()[section]) >= least


def _expected(answer: object, *, negative: bool) -> bool:
    """Refused patterns match nothing, negated or not."""
    return answer is not negative if isinstance(answer, bool) else False


def test_regex_answers_are_the_engines_or_none() -> None:
    wrong, unsure = [], Counter[str]()
    for pattern, text, answer, newest in _vectors()["regex"]:
        for compiled, negative in ((matches(pattern), False), (matches_not(pattern), True)):
            ours: Match = compiled.present(text, MOMENT)
            if isinstance(ours, Unsure):
                unsure[ours.why] += 1
            elif answer != newest or answer == "limit" or ours is not _expected(answer, negative=negative):
                wrong.append((pattern, text, answer, newest, ours))
    print(f"regex: {len(_vectors()['regex'])} rows, not answered {dict(unsure)} of {2 * len(_vectors()['regex'])}")  # noqa: T201 - for pytest -rP
    assert wrong == []
    assert set(unsure) == {"regex_not_portable", "regex_too_costly"}
    assert sum(unsure.values()) <= 0.2 * 2 * len(_vectors()["regex"])


def test_patterns_the_engine_accepts_are_mostly_answered() -> None:
    accepted = [row for row in _vectors()["regex"] if isinstance(row[2], bool)]
    silent = [row for row in accepted if isinstance(matches(row[0]).present(row[1], MOMENT), Unsure)]
    print(f"accepted by the engine: {len(accepted)} rows, not answered {len(silent)}")  # noqa: T201 - for pytest -rP
    assert len(silent) <= 0.13 * len(accepted)


def test_floats_are_printed_as_serde_json_prints_them() -> None:
    wrong = [
        (text, printed)
        for text, printed in _vectors()["floats"]
        # serde_json reads some numbers one unit in the last place off: what it then prints is what counts here.
        if json_text(json.loads(printed)) != printed
    ]
    assert wrong == []


def test_texts_are_numbers_where_rust_reads_them() -> None:
    wrong = [
        (text, rust)
        for text, rust in _vectors()["numbers"]
        if repr(number_of_text(text)) != repr(None if rust is None else float(rust))
    ]
    assert wrong == []


def test_versions_are_ordered_as_the_crate_orders_them() -> None:
    wrong = []
    for left, right, order in _vectors()["orders"]:
        ours, theirs = parse_strict(left), parse_strict(right)
        found = None if ours is None or theirs is None else "<" if ours < theirs else ">" if ours > theirs else "="
        if found != order:
            wrong.append((left, right, order, found))
    assert wrong == []


def test_requirements_match_as_the_crates_do() -> None:
    wrong = []
    for text, version, answer in _vectors()["requirements"]:
        requirement, parsed = parse_requirement(text), parse_strict(version)
        assert parsed is not None
        found = None if requirement is None else requirement(parsed)
        if found is not answer:
            wrong.append((text, version, answer, found))
    assert wrong == []


def test_documented_dates_are_the_instants_of_chrono() -> None:
    wrong, foreign = [], 0
    for text, zone, expected in _vectors()["dates"]:
        if zone != "UTC" and expected is not None and expected[0] < 0:
            continue  # builds of the tz database differ before 1970
        date = parse_text(text)
        if date is FOREIGN:
            foreign += 1
            found: object = None
        else:
            instant = None if date is None else instant_at(date, MOMENT, ZoneInfo(zone))
            found = None if instant is None else list(divmod(instant, SECOND))
        if found != expected:
            wrong.append((text, zone, expected, found))
    print(f"dates: {len(_vectors()['dates'])} rows, left to the free-form parser {foreign}")  # noqa: T201 - for pytest -rP
    assert wrong == []
    assert foreign <= 0.25 * len(_vectors()["dates"])


def test_every_text_that_the_free_form_parser_reads_is_known_or_foreign() -> None:
    silent = [text for text, known, newest in _vectors()["free_dates"] if (known or newest) and parse_text(text) is None]
    cautious = [text for text, *known in _vectors()["free_dates"] if not any(known) and parse_text(text) is FOREIGN]
    print(f"free-form dates: {len(_vectors()['free_dates'])} rows, left open without need {len(cautious)}")  # noqa: T201 - for pytest -rP
    assert silent == []
    assert len(cautious) <= 20


def test_texts_are_lowered_as_rust_lowers_them() -> None:
    assert [text for text, lowered in _vectors()["lower"] if text.lower() != lowered] == []


def test_the_character_tables_are_those_of_the_engine() -> None:
    for letter, ours in (("w", WORD), ("d", DIGIT), ("s", SPACE)):
        assert [list(pair) for pair in ours] == _vectors()["classes"][letter]
