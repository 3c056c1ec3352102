"""Records of accepted keys: newest wins, bounded, private, checked to the byte, and useless without the secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from proxy.config.settings import DefinitionsStore, SecretSource
from proxy.definitions.acceptance import (
    FILE,
    MAX_RECORDS,
    SECRET_FILE,
    Acceptances,
    Kept,
    decode_acceptances,
    encode_acceptances,
    hmac_secret,
    load_acceptances,
    store_acceptances,
)
from proxy.definitions.document import Unreadable
from proxy.process.control.messages import KeyAccepted, KeyRevoked


def record(at: float, key: str = "k") -> KeyAccepted:
    return KeyAccepted(key, "shop", "t", "definitions", at)


def test_a_newer_record_replaces_an_older_one_and_not_the_other_way() -> None:
    records = Acceptances(Kept((record(5.0),)))
    assert [records.accept(record(5.0)), records.accept(record(4.0)), records.accept(record(6.0))] == [False, False, True]
    assert list(records) == [record(6.0)]


@pytest.mark.parametrize("field", ["hmac", "project", "token_hmac", "endpoint"])
def test_a_record_is_for_one_key_project_token_and_endpoint(field: str) -> None:
    records = Acceptances(Kept((record(5.0),)))
    other = {"hmac": "k", "project": "shop", "token_hmac": "t", "endpoint": "definitions"} | {field: "other"}
    assert not records.revoke(KeyRevoked(**other))
    assert records.accept(KeyAccepted(**other, wall_time=1.0))
    assert len(records) == 2


def test_a_revoked_key_is_gone() -> None:
    records = Acceptances(Kept((record(5.0),)))
    assert records.revoke(KeyRevoked("k", "shop", "t", "definitions"))
    assert list(records) == []


def test_an_operator_revokes_every_key_of_one_project() -> None:
    theirs = KeyAccepted("k", "other", "t", "definitions", 5.0)
    records = Acceptances(Kept((record(5.0), record(6.0, "k2"), theirs)))
    assert records.revoke(KeyRevoked("", "shop", "", ""))
    assert list(records) == [theirs]
    assert not records.revoke(KeyRevoked("", "shop", "", ""))


def test_a_renewal_outlives_the_record_it_came_with_and_only_grows() -> None:
    records = Acceptances(Kept((record(5.0),)))
    assert records.revoke(KeyRevoked("k", "shop", "t", "definitions", renewal=9))
    assert not records.revoke(KeyRevoked("k", "shop", "t", "definitions", renewal=8))
    again = decode_acceptances(encode_acceptances(records))
    assert isinstance(again, Acceptances)
    assert (again.kept.renewals, list(again)) == ({"shop": 9}, [])


def test_the_oldest_records_make_room() -> None:
    records = Acceptances(Kept(tuple(record(float(number), str(number)) for number in range(MAX_RECORDS))))
    records.accept(record(1e9, "new"))
    assert len(records) == MAX_RECORDS
    assert [next(iter(records)).hmac, list(records)[-1].hmac] == ["1", "new"]


def test_records_that_nobody_confirmed_expire() -> None:
    records = Acceptances(Kept((record(1.0, "old"), record(9.0, "new"))))
    assert records.expire(before_wall=9.0) == 1
    assert [each.hmac for each in records] == ["new"]


def test_records_survive_a_restart_and_only_we_can_read_them(tmp_path: Path) -> None:
    store_acceptances(tmp_path / "d", Acceptances(Kept((record(5.0),))))
    found = load_acceptances(tmp_path / "d")
    assert isinstance(found, Acceptances)
    assert list(found) == [record(5.0)]
    assert stat.S_IMODE((tmp_path / "d" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700


def test_without_a_file_there_are_no_records(tmp_path: Path) -> None:
    found = load_acceptances(tmp_path)
    assert isinstance(found, Acceptances)
    assert list(found) == []


def test_any_damage_anywhere_makes_every_record_worthless() -> None:
    content = encode_acceptances(Acceptances(Kept((record(5.0),))))
    for place in range(len(content)):
        for value in range(256):
            damaged = content[:place] + bytes([value]) + content[place + 1 :]
            assert damaged == content or isinstance(decode_acceptances(damaged), Unreadable), (place, value)
        assert isinstance(decode_acceptances(content[:place]), Unreadable)
    assert isinstance(decode_acceptances(content + b" "), Unreadable)


def test_every_process_gets_the_same_secret_of_the_folder(tmp_path: Path) -> None:
    store, folder = DefinitionsStore(), tmp_path / "d"
    first, second = hmac_secret(store, folder, {}), hmac_secret(store, folder, {})
    assert isinstance(first, bytes)
    assert (first, len(first)) == (second, 32)
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [SECRET_FILE]
    assert hmac_secret(store, tmp_path / "other", {}) != first


def test_a_configured_secret_is_taken_as_it_is(tmp_path: Path) -> None:
    store = DefinitionsStore(hmac_key=SecretSource(env="K"))
    assert hmac_secret(store, tmp_path, {"K": "s"}) == b"s"
    assert hmac_secret(store, tmp_path, {}) == Unreadable("environment variable K is not set")


def test_a_folder_that_cannot_keep_a_secret_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    found = hmac_secret(DefinitionsStore(), tmp_path / "file", {})
    assert isinstance(found, Unreadable)
    assert "File exists" in found.reason


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"short")
    assert isinstance(hmac_secret(DefinitionsStore(), tmp_path, {}), Unreadable)
