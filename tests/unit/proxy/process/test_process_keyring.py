"""What a worker knows of callers' keys, when there is no supervisor to say it or to hear it."""

import pytest

from proxy.definitions.acceptance import FILE, Acceptances, Opening, store_acceptances
from proxy.edge.definitions.records import Records
from proxy.process.control.messages import KeyAccepted, KeyRevoked
from proxy.process.worker.keyring import Keyring
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines

OPENING = Opening("aa", "shop", "bb", "definitions")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def records(clock):
    return Records(clock=clock)


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def keyring(records, lines):
    return Keyring(records, log=lines.log)


async def test_keys_of_an_earlier_life_are_known_before_any_supervisor_comes(keyring, records, clock, tmp_path):
    earlier = Acceptances()
    earlier.accept(KeyAccepted(*OPENING, wall_time=clock.wall() - 60, renewal=7))
    store_acceptances(tmp_path, earlier)
    await keyring.recall(tmp_path)
    assert records.get(OPENING).accepted_at == pytest.approx(clock.monotonic() - 60)
    assert records.renewal("shop") == 7
    assert keyring.owed() == []


async def test_a_file_of_keys_that_does_not_check_lets_nobody_in_and_is_told(keyring, records, clock, tmp_path, lines):
    earlier = Acceptances()
    earlier.accept(KeyAccepted(*OPENING, wall_time=clock.wall()))
    store_acceptances(tmp_path, earlier)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b'"aa"', b'"ab"'))
    await keyring.recall(tmp_path)
    assert len(records) == 0
    assert lines.events() == ["accepted_keys_unreadable"]


def test_what_is_learnt_while_the_supervisor_is_away_is_owed_to_it_once_and_in_order(keyring, records, clock):
    records.accept(OPENING)
    records.drop(OPENING, is_quota=False)
    assert keyring.owed() == [KeyAccepted(*OPENING, wall_time=clock.wall()), KeyRevoked(*OPENING)]
    assert keyring.owed() == []


def test_what_the_supervisor_heard_is_not_owed(keyring, records, clock):
    heard = []
    keyring.say = lambda news: heard.append(news) or True
    records.accept(OPENING)
    assert heard == [KeyAccepted(*OPENING, wall_time=clock.wall())]
    assert keyring.owed() == []
