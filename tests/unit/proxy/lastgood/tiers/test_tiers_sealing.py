from __future__ import annotations

import msgspec
import pytest

from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName
from proxy.lastgood.tiers.person import meant_by, person_of
from proxy.lastgood.tiers.record import Purge, Sealed
from proxy.lastgood.tiers.sealing import Seals
from tests.fakes.requests import PROJECT, key
from tests.fakes.tier import SECRET, whole

SEALS = Seals(SECRET)


def sealed(seals: Seals = SEALS, asked: Key | None = None, **changes: object) -> Sealed:
    told = {"project": PROJECT, "stored_at": 100.5, "expires_at": 200.0, **changes}
    return seals.seal(asked or key(), whole(), **told)  # type: ignore[arg-type]


def test_what_is_sealed_comes_back_with_its_time_and_without_headers() -> None:
    answer = Whole(200, "application/json; charset=utf-8", b"body", headers=(("set-cookie", "a"),))
    record = SEALS.seal(key(), answer, project=PROJECT, stored_at=100.5, expires_at=200.0)
    opened = SEALS.open(record.key, record.value, project=PROJECT)
    assert opened is not None
    assert opened.whole == Whole(200, "application/json; charset=utf-8", b"body")
    assert opened.stored_at == 100.5
    assert b"set-cookie" not in record.value


def test_a_value_in_another_questions_place_is_no_answer() -> None:
    other = sealed(asked=key("user-2"))
    assert SEALS.open(sealed().key, other.value, project=PROJECT) is None


def test_a_value_of_another_project_is_no_answer() -> None:
    assert SEALS.open(sealed().key, sealed().value, project=ProjectName("other")) is None


def test_a_value_changed_in_any_byte_is_no_answer() -> None:
    record = sealed()
    for position in range(len(record.value)):
        damaged = bytearray(record.value)
        damaged[position] ^= 0x41
        assert SEALS.open(record.key, bytes(damaged), project=PROJECT) is None, position


@pytest.mark.parametrize("length", [0, 1, 31, 32, 43, 44, 60])
def test_a_value_cut_short_or_prolonged_is_no_answer(length: int) -> None:
    record = sealed()
    assert SEALS.open(record.key, record.value[:length], project=PROJECT) is None
    assert SEALS.open(record.key, record.value + b"x" * (length + 1), project=PROJECT) is None


def test_another_secret_opens_nothing_and_finds_nothing() -> None:
    other, record = Seals(b"another"), sealed()
    assert other.open(record.key, record.value, project=PROJECT) is None
    assert record.key not in other.places(key())


def test_what_the_previous_secret_sealed_is_found_and_opened_and_never_written() -> None:
    before = Seals(b"old")
    now = Seals(b"new", b"old")
    record = sealed(before)
    assert record.key in now.places(key())
    assert now.open(record.key, record.value, project=PROJECT) is not None
    assert sealed(now).key == now.places(key())[0] != record.key


def test_keys_and_people_are_256_bits_that_show_nothing_of_the_request() -> None:
    asked = key("ada@example.com", person_properties={"plan": "secret-plan"})
    record = sealed(asked=asked)
    assert len(record.key) == len(record.person) == 32
    written = msgspec.json.encode(record) + record.value
    for text in (b"ada", b"secret-plan", b"distinct_id", b"token"):
        assert text not in written


def test_two_projects_with_one_person_have_two_seals() -> None:
    record, other = sealed(), sealed(project=ProjectName("other"))
    assert record.person != other.person


def test_a_project_and_a_person_cannot_run_into_each_other() -> None:
    first = SEALS.purge(Purge("ab", "c"), ()).people
    second = SEALS.purge(Purge("a", "bc"), ()).people
    assert first != second


def test_a_purge_of_a_person_means_their_records_only_under_both_secrets() -> None:
    now, before = Seals(b"new", b"old"), Seals(b"old")
    purge = now.purge(Purge(PROJECT, "user-1"), ())
    assert purge.is_meant(sealed(now))
    assert purge.is_meant(sealed(before))
    assert not purge.is_meant(sealed(now, key("user-2")))
    assert not purge.is_meant(sealed(now, project=ProjectName("other")))


def test_a_purge_of_a_person_without_a_project_looks_in_every_project() -> None:
    purge = SEALS.purge(Purge(None, "user-1"), ("default", "other"))
    assert purge.is_meant(sealed())
    assert purge.is_meant(sealed(project=ProjectName("other")))
    assert not purge.is_meant(sealed(project=ProjectName("third")))


def test_a_purge_of_a_project_or_of_all_needs_no_person() -> None:
    assert SEALS.purge(Purge(PROJECT), ()).is_meant(sealed())
    assert not SEALS.purge(Purge("other"), ()).is_meant(sealed())
    assert SEALS.purge(Purge(), ()).is_meant(sealed())


@pytest.mark.parametrize(
    ("distinct_id", "person"), [("user-1", "user-1"), (17, "17"), ('ü "quoted"', 'ü "quoted"'), (None, None)]
)
def test_a_person_is_read_from_the_question(distinct_id: object, person: str | None) -> None:
    asked = key(distinct_id)  # type: ignore[arg-type]
    assert person_of(asked) == person
    if person is not None:
        assert meant_by(Purge(None, person))(asked, PROJECT)
        assert meant_by(Purge(PROJECT, person))(asked, PROJECT)
        assert not meant_by(Purge("other", person))(asked, PROJECT)
    assert not meant_by(Purge(None, "user"))(asked, PROJECT)


def test_an_id_that_another_field_holds_is_not_that_person() -> None:
    asked = key("user-1", person_properties={"distinct_id": "user-2", "friend": "user-2"})
    assert not meant_by(Purge(None, "user-2"))(asked, PROJECT)
