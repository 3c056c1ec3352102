"""A refusal is passed on when it is one, and held when it may be an outage."""

from __future__ import annotations

from random import Random

import pytest

from proxy.edge.definitions.etags import tagged
from tests.unit.proxy.edge.definitions.world import AWAY, DOCUMENT, ETAG, World, status

REFUSALS = [401, 402, 403]


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("projects", [("web",), ("web", "shop")])
async def test_a_refusal_of_everybody_costs_nobody_a_flag_for_ten_minutes(code: int, projects: tuple[str, ...]) -> None:
    world = World(projects=projects)
    await world.get()
    world.upstream.say = lambda _token, _key: status(code)
    assert set(await world.poll_for(600.0)) <= {200, 304}
    world.upstream.say = lambda _token, _key: None
    assert (await world.poll_for(300.0))[-1] == 304


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_refusal_of_everybody_is_believed_after_a_quarter_of_an_hour(code: int) -> None:
    world = World()
    await world.get()
    world.upstream.say = lambda _token, _key: status(code, b"upstream's own words")
    statuses = await world.poll_for(150.0 + 900.0 + 60.0)
    assert code in statuses
    assert statuses.index(code) * 30.0 >= 150.0 + 870.0
    assert (await world.get()).body == b"upstream's own words"


@pytest.mark.parametrize("code", REFUSALS)
async def test_an_unknown_key_gets_no_refusal_while_everybody_is_refused(code: int) -> None:
    world = World()
    world.upstream.say = lambda _token, _key: status(code)
    assert (await world.get()).status == 503
    world.clock.advance(899.0)
    assert (await world.get()).status == 503
    world.clock.advance(10.0)
    assert (await world.get()).status == code


@pytest.mark.parametrize("code", [401, 403])
async def test_a_refusal_of_one_key_is_passed_on_within_a_minute_when_the_own_key_works_each_time(code: int) -> None:
    world = World(projects=("web",))
    await world.get()
    await world.poll_for(120.0)
    world.upstream.say = lambda _token, key: status(code) if key == "phx_web" else None
    assert await world.poll_for(90.0) == [200, 304, code]
    assert world.upstream.asked_by("phx_own_web") == 5


@pytest.mark.parametrize("code", [401, 403])
async def test_a_caller_that_comes_seldom_is_refused_after_three_in_a_row(code: int) -> None:
    world = World(projects=("web",))
    await world.get()
    world.upstream.say = lambda _token, key: status(code) if key == "phx_web" else None
    world.clock.advance(240.0)
    assert (await world.get()).status == code
    assert (world.upstream.asked_by("phx_web"), world.upstream.asked_by("phx_own_web")) == (4, 3)


async def test_a_quota_of_one_project_is_passed_on_when_another_project_works() -> None:
    world = World()
    await world.get()
    world.upstream.over_quota.add("phc_web")
    assert (await world.poll_for(210.0))[-1] == 402
    assert world.upstream.asked_by("phx_own_web") == 0
    assert world.upstream.asked_by("phx_own_shop") == 5


@pytest.mark.parametrize("share", [0.2, 0.34, 0.5, 0.7])
async def test_a_refusal_of_some_requests_of_everybody_costs_nobody_a_flag(share: float) -> None:
    """An outage that comes and goes: each request is refused by chance, whoever sends it."""
    for seed in range(20):
        rng, world = Random(seed), World(projects=("web",))
        await world.get()
        world.upstream.say = lambda _token, _key, rng=rng: status(401) if rng.random() < share else None  # type: ignore[misc]
        assert 401 not in await world.poll_for(600.0), seed


async def test_two_refusals_with_working_witnesses_are_still_a_coincidence() -> None:
    world = World(projects=("web",))
    await world.get()
    refusals = iter([status(401), status(401)])
    world.upstream.say = lambda _token, key: next(refusals, None) if key == "phx_web" else None
    assert set(await world.poll_for(600.0)) == {200, 304}


async def test_a_witness_that_is_refused_in_between_makes_the_count_start_again() -> None:
    world = World(projects=("web",))
    await world.get()
    await world.poll_for(120.0)
    own = iter([None, None, status(401)])
    world.upstream.say = lambda _token, key: status(401) if key == "phx_web" else next(own, None)
    assert await world.poll_for(150.0) == [200, 304, 304, 304, 401]


async def test_an_acceptance_in_between_makes_the_count_start_again() -> None:
    world = World(projects=("web",))
    await world.get()
    await world.poll_for(120.0)
    turns = iter([status(401), status(401), None])
    world.upstream.say = lambda _token, key: next(turns, status(401)) if key == "phx_web" else None
    assert await world.poll_for(60.0) == [200, 304]
    statuses = await world.poll_for(210.0)
    assert statuses.index(401) * 30.0 >= 180.0


async def test_the_own_key_is_no_witness_about_itself() -> None:
    world = World(projects=("web",))
    await world.get("phx_own_web")
    world.upstream.keys["phc_web"].remove("phx_own_web")
    world.clock.advance(240.0)
    assert (await world.get("phx_own_web")).status == 200
    assert (await world.poll_for(930.0, key="phx_own_web"))[-1] == 401


async def test_the_own_key_is_no_witness_about_itself_even_when_it_works_every_other_time() -> None:
    world = World(projects=("web",))
    await world.get("phx_own_web")
    world.clock.advance(240.0)
    turns = iter([status(401), None, status(401)])
    world.upstream.say = lambda _token, _key: next(turns, None)
    assert (await world.get("phx_own_web")).status == 200
    assert world.upstream.asked_by("phx_own_web") == 2


async def test_a_witness_asked_before_the_refusal_is_asked_again() -> None:
    world = World(projects=("web",))
    await world.get()
    world.clock.advance(239.0)
    assert (await world.get("phx_made_up")).status == 401
    assert world.upstream.asked_by("phx_own_web") == 1
    world.clock.advance(1.0)
    world.upstream.say = lambda _token, _key: status(401)
    assert (await world.get()).status == 200
    assert world.upstream.asked_by("phx_own_web") == 2


async def test_another_callers_key_that_upstream_accepts_meanwhile_is_a_witness() -> None:
    world = World(projects=("web",), has_own_keys=False)
    await world.get("phx_web")
    world.clock.advance(100.0)
    await world.get("phx_web_two")
    world.upstream.keys["phc_web"].remove("phx_web")
    world.clock.advance(140.0)
    assert (await world.get("phx_web")).status == 200
    world.clock.advance(100.0)
    assert (await world.get("phx_web_two")).status == 200
    assert (await world.get("phx_web")).status == 401


async def test_a_success_before_the_outage_is_no_witness_of_it() -> None:
    world = World(projects=("web",))
    await world.get("phx_web")
    world.clock.advance(239.0)
    await world.get("phx_web_two")
    world.clock.advance(1.0)
    world.upstream.say = lambda _token, _key: status(401)
    assert (await world.get("phx_web")).status == 200


async def test_a_key_refused_once_by_chance_is_asked_for_again_before_it_is_believed() -> None:
    world = World()
    await world.get()
    world.clock.advance(240.0)
    refusals = iter([status(401)])
    world.upstream.say = lambda _token, key: next(refusals, None) if key == "phx_web" else None
    assert (await world.get()).status == 200


async def test_a_proxys_own_key_that_was_revoked_long_ago_locks_nobody_out_and_hides_nothing() -> None:
    world = World(projects=("web",))
    world.upstream.keys["phc_web"].remove("phx_own_web")
    assert (await world.get("phx_made_up")).status == 503
    world.clock.advance(901.0)
    assert (await world.get("phx_made_up")).status == 401
    assert (await world.get("phx_web")).status == 200


async def test_made_up_keys_cost_upstream_one_question_each_and_one_witness_together() -> None:
    world = World()
    for number in range(50):
        assert (await world.get(f"phx_made_up_{number}")).status == 401
    assert len(world.upstream.seen) == 51
    assert len(world.keys.records) == 0


async def test_in_an_outage_upstream_is_asked_about_a_key_every_thirty_seconds_at_most() -> None:
    world = World()
    await world.get()
    world.clock.advance(240.0)
    world.upstream.say = lambda _token, _key: AWAY
    world.upstream.seen.clear()
    await world.poll_for(300.0, every=1.0)
    assert world.upstream.asked_by("phx_web") == 10


async def test_after_a_402_the_next_document_has_a_tag_that_no_client_has_yet() -> None:
    world = World()
    assert (await world.get()).headers["ETag"] == ETAG
    assert (await world.get(etag=ETAG)).status == 304
    world.upstream.over_quota.add("phc_web")
    world.clock.advance(240.0)
    assert (await world.get(etag=ETAG)).status == 402
    world.upstream.over_quota.clear()
    world.clock.advance(30.0)
    again = await world.get(etag=ETAG)
    assert (again.status, again.body) == (200, DOCUMENT)
    assert again.headers["ETag"] != ETAG
    assert (await world.get(etag=again.headers["ETag"])).status == 304
    assert (await world.get("phx_shop", "phc_shop", etag=ETAG)).status == 304


async def test_a_second_402_makes_another_tag_even_within_the_same_second() -> None:
    world = World()
    tags = [ETAG]
    for _ in range(2):
        await world.get(etag=tags[-1])
        world.upstream.over_quota.add("phc_web")
        world.keys.records.get(next(iter(world.keys.records._records))).accepted_at = 0.0  # type: ignore[union-attr]
        world.upstream.say = lambda _token, _key: None
        world.keys.records.get(next(iter(world.keys.records._records))).polled_at = -1000.0  # type: ignore[union-attr]
        assert (await world.get()).status == 402
        world.upstream.over_quota.clear()
        world.keys.inquiries._negatives.clear()
        tags.append((await world.get(etag=tags[-1])).headers["ETag"])
    assert len(set(tags)) == 3


async def test_upstream_never_sees_a_suffix_of_ours() -> None:
    world = World()
    await world.get()
    world.upstream.over_quota.add("phc_web")
    world.clock.advance(240.0)
    await world.get()
    world.upstream.over_quota.clear()
    world.clock.advance(30.0)
    ours = (await world.get()).headers["ETag"]
    world.clock.advance(300.0)
    await world.get(etag=ours)
    del world.sets["web"]
    kept = await world.get(etag=ours)
    assert (kept.status, kept.headers["ETag"]) == (304, ours)
    fresh = await world.get(etag=ETAG)
    assert (fresh.status, fresh.headers["ETag"]) == (200, ours)
    assert {etag for _, _, etag in world.upstream.seen} <= {None, ETAG}


def test_a_tag_keeps_its_form_with_and_without_a_suffix() -> None:
    assert tagged('W/"abc"', 255) == 'W/"abc~hff"'
    assert tagged("abc", 255) == "abc~hff"
    assert tagged('W/"abc"', 0) == 'W/"abc"'
    assert tagged(None, 255) is None
