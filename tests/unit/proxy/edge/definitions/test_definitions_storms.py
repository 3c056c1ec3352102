"""Many callers at once, workers and lives, operators; and answers in the service's form."""

from __future__ import annotations

import asyncio

import pytest

from proxy.definitions.acceptance import Opening
from proxy.definitions.document import definitions_set
from proxy.edge.definitions.records import MOST, Records
from proxy.process.control.messages import KeyAccepted, KeyRevoked
from tests.fakes.clock import FakeClock
from tests.unit.proxy.edge.definitions.world import AWAY, DOCUMENT, ETAG, SECRET, World, status


async def turns() -> None:
    """Let everybody who can run arrive where they wait."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("is_held", [True, False])
async def test_a_cold_storm_of_one_key_is_one_question(is_held: bool) -> None:
    world = World()
    if not is_held:
        world.sets.clear()
    world.upstream.gate.clear()
    storm = [asyncio.create_task(world.get()) for _ in range(150)]
    await turns()
    world.upstream.gate.set()
    answers = await asyncio.gather(*storm)
    assert {(answer.status, answer.body) for answer in answers} == {(200, DOCUMENT)}
    assert len(world.upstream.seen) == 1


async def test_callers_with_other_tags_share_no_304_while_nothing_is_held() -> None:
    world = World()
    world.sets.clear()
    world.upstream.gate.clear()
    storm = [asyncio.create_task(world.get(etag=etag)) for etag in (None, ETAG, None, ETAG)]
    await turns()
    world.upstream.gate.set()
    assert [answer.status for answer in await asyncio.gather(*storm)] == [200, 304, 200, 304]
    assert len(world.upstream.seen) == 2


async def test_a_storm_of_refusals_is_one_question_a_second() -> None:
    world = World()
    for _ in range(100):
        assert (await world.get("phx_made_up")).status == 401
        world.clock.advance(0.05)
    assert world.upstream.asked_by("phx_made_up") == 5


async def test_one_impatient_caller_that_leaves_takes_nobody_else_along() -> None:
    world = World()
    world.upstream.gate.clear()
    first, second = (asyncio.create_task(world.get()) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    world.upstream.gate.set()
    assert (await second).status == 200


async def test_keys_are_asked_for_with_their_own_request_and_our_tag() -> None:
    world = World()
    await world.get(etag='W/"the caller\'s"')
    assert world.upstream.seen == [("phc_web", "phx_web", ETAG)]


async def test_what_a_sibling_or_an_earlier_life_learnt_counts() -> None:
    old, new = World(), World()
    told: list[KeyAccepted | KeyRevoked] = []
    old.keys.records.tell = told.append
    await old.get()
    new.clock.advance(120.0)
    for news in told:
        new.keys.records.learn(news)
    new.upstream.say = lambda _token, _key: AWAY
    assert (await new.get()).status == 200
    assert new.upstream.seen == []
    new.clock.advance(41.0)
    assert (await new.get()).status == 200
    assert len(new.upstream.seen) == 1


async def test_records_made_under_another_secret_open_nothing() -> None:
    old, new = World(), World()
    told: list[KeyAccepted | KeyRevoked] = []
    old.keys.seal._secret = SECRET[::-1] + b"1"
    old.keys.records.tell = told.append
    await old.get()
    for news in told:
        new.keys.records.learn(news)
    new.upstream.say = lambda _token, _key: AWAY
    assert (await new.get()).status == 503


async def test_operators_revoke_at_once_one_key_or_a_whole_project() -> None:
    world = World()
    told: list[KeyAccepted | KeyRevoked] = []
    world.keys.records.tell = told.append
    for key in ("phx_web", "phx_web_two"):
        await world.get(key)
    await world.get("phx_shop", "phc_shop")
    world.upstream.say = lambda _token, _key: AWAY
    first, *_ = told
    world.keys.records.learn(KeyRevoked(first.hmac, first.project, first.token_hmac, first.endpoint))
    assert (await world.get("phx_web")).status == 503
    assert (await world.get("phx_web_two")).status == 200
    world.keys.records.learn(KeyRevoked("", "web", "", ""))
    assert (await world.get("phx_web_two")).status == 503
    assert (await world.get("phx_shop", "phc_shop")).status == 200


async def test_old_news_of_an_acceptance_does_not_undo_a_revocation() -> None:
    world = World()
    told: list[KeyAccepted | KeyRevoked] = []
    world.keys.records.tell = told.append
    await world.get()
    world.clock.advance(1.0)
    first = told[0]
    world.keys.records.learn(KeyRevoked(first.hmac, first.project, first.token_hmac, first.endpoint))
    world.keys.records.learn(first)
    world.upstream.say = lambda _token, _key: AWAY
    assert (await world.get()).status == 503


async def test_a_revocation_is_told_and_so_is_the_renewal_that_a_402_starts() -> None:
    world, sibling = World(), World()
    await sibling.get()
    await world.get()
    world.keys.records.tell = sibling.keys.records.learn
    world.upstream.over_quota.add("phc_web")
    world.clock.advance(240.0)
    assert (await world.get()).status == 402
    answer = await sibling.get(etag=ETAG)
    assert answer.status == 200
    assert answer.headers["ETag"] != ETAG


def test_records_are_bounded_and_the_longest_unconfirmed_goes_first() -> None:
    clock = FakeClock()
    records = Records(clock=clock)
    for number in range(MOST + 10):
        records.learn(KeyAccepted(f"{number}", "web", "t", "definitions", wall_time=clock.wall()))
    assert len(records) == MOST
    assert len(records._records) == MOST
    assert next(iter(records._records)).hmac == "10"


@pytest.mark.parametrize("path", ["/flags/definitions", "/flags/definitions/", "/api/feature_flag/local_evaluation"])
async def test_answers_have_the_services_form(path: str) -> None:
    world = World()
    answer = await world.get(path=path)
    assert (answer.status, answer.body) == (200, DOCUMENT)
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Cache-Control"] == "private, must-revalidate"
    assert answer.headers["Content-Type"] == "application/json"
    same = await world.get(path=path, etag='"0123456789abcdef"')
    assert (same.status, same.body) == (304, None)
    assert (same.headers["ETag"], same.headers["Cache-Control"]) == (ETAG, "private, must-revalidate")
    for other in (f"{ETAG}, {ETAG}", "*", 'W/"other"', ""):
        assert (await world.get(path=path, etag=other)).status == 200


async def test_head_and_other_methods_are_answered_as_the_service_does() -> None:
    world = World()
    head = await world.get(key=None, method="HEAD")
    assert (head.status, head.headers["Content-Type"], head.body) == (200, "application/json", None)
    for method in ("POST", "PUT", "DELETE"):
        answer = await world.get(method=method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, OPTIONS, HEAD")
    assert world.upstream.seen == []


async def test_the_meter_counts_what_upstream_was_spared() -> None:
    world = World()
    await world.poll_for(600.0)
    meter = world.keys.meter.report()
    assert meter["polls"] == 20
    assert meter["asked"] == len(world.upstream.seen) == 4
    assert meter["polls_saved"] == 16
    assert (meter["documents"], meter["not_modified"]) == (1, 19)
    world.upstream.say = lambda _token, _key: status(401)
    await world.poll_for(300.0)
    assert world.keys.meter.report()["doubted"] > 0


async def test_a_document_is_as_old_as_upstreams_last_word_about_it() -> None:
    world = World()
    world.clock.advance(40.0)
    world.upstream.etag = None  # no tag, so no word about this one
    del world.sets["shop"]
    assert (await world.get()).headers["Age"] == "40"
    world.clock.advance(25.5)
    assert (await world.get()).headers["Age"] == "65"
    world.upstream.etag = ETAG
    world.clock.advance(200.0)
    assert (await world.get()).headers["Age"] == "0"
    world.clock.advance(30.0)
    again = await world.get(etag=ETAG)
    assert (again.status, again.headers["Age"]) == (304, "30")


async def test_a_new_document_does_not_get_the_age_of_the_old_ones_confirmation() -> None:
    world = World()
    await world.get()
    world.sets["web"] = definitions_set(
        "web", DOCUMENT, etag='W/"fedcba9876543210"', fetched_at_wall=world.clock.wall() - 7, generation=2
    )
    assert (await world.get()).headers["Age"] == "7"


def test_drops_of_keys_that_were_never_known_are_not_remembered() -> None:
    records = Records(clock=FakeClock())
    real = Opening("real", "web", "token", "definitions")
    records.accept(real)
    records.drop(real, is_quota=False)
    for number in range(MOST + 1):
        records.drop(Opening(f"made up {number}", "web", "token", "definitions"), is_quota=False)
    records.learn(KeyAccepted(*real, wall_time=records._clock.wall() - 1.0, renewal=0))
    assert records.get(real) is None
