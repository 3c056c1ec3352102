"""Who may read which project's definitions: (key, token) × the state of upstream."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from proxy.answer.answer import Failure, Trouble
from tests.unit.proxy.edge.definitions.world import AWAY, DOCUMENT, ETAG, World, status

OUTAGES = {
    "away": AWAY,
    "silent": Failure(trouble=Trouble.TIMEOUT),
    "cut": Failure(trouble=Trouble.INCOMPLETE),
    "500": status(500),
    "502": status(502),
    "503": status(503),
    "a page": status(200, b"<html>please log in</html>"),
    "an empty page": status(200, b""),
    "another document": status(200, b'{"flags":null}'),
    "a redirect": status(302),
    "nothing": status(204),
}


@pytest.mark.parametrize(
    ("key", "token", "expected"),
    [
        ("phx_web", "phc_web", 200),
        ("phx_shop", "phc_shop", 200),
        ("phx_web", "phc_shop", 401),
        ("phx_shop", "phc_web", 401),
        ("phx_made_up", "phc_web", 401),
        ("phx_own_shop", "phc_web", 401),
    ],
)
async def test_a_key_reads_the_project_it_was_accepted_for_and_no_other(key: str, token: str, expected: int) -> None:
    world = World()
    for mine in (("phx_web", "phc_web"), ("phx_shop", "phc_shop")):
        assert (await world.get(*mine)).status == 200
    for _ in range(2):
        assert (await world.get(key, token)).status == expected
        world.clock.advance(2.0)


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize(
    ("key", "token", "expected"),
    [
        ("phx_web", "phc_web", 200),
        ("phx_shop", "phc_shop", 200),
        ("phx_web", "phc_shop", 503),
        ("phx_shop", "phc_web", 503),
        ("phx_web_two", "phc_web", 503),
        ("phx_own_web", "phc_web", 503),
        ("phx_made_up", "phc_web", 503),
    ],
)
async def test_in_an_outage_only_accepted_pairs_are_answered_and_nobody_is_refused(
    outage: str, key: str, token: str, expected: int
) -> None:
    world = World()
    for mine in (("phx_web", "phc_web"), ("phx_shop", "phc_shop")):
        await world.get(*mine)
    world.upstream.say = lambda _token, _key: OUTAGES[outage]
    for pause in (1.0, 299.0, 600.0, 86_000.0 - 900.0):
        world.clock.advance(pause)
        answer = await world.get(key, token)
        assert (answer.status, answer.body == DOCUMENT) == (expected, expected == 200)


@pytest.mark.parametrize(("age", "expected"), [(86_399.0, 200), (86_401.0, 503)])
async def test_an_acceptance_outlives_upstream_for_a_day_and_no_longer(age: float, expected: int) -> None:
    world = World()
    await world.get()
    world.upstream.say = lambda _token, _key: AWAY
    world.clock.advance(age)
    assert (await world.get()).status == expected


@pytest.mark.parametrize("code", [400, 404, 429])
async def test_what_upstream_says_to_an_unknown_key_is_handed_on(code: int) -> None:
    world = World()
    world.upstream.say = lambda _token, _key: status(code, b"its own words")
    answer = await world.get()
    assert (answer.status, answer.body) == (code, b"its own words")


async def test_a_revoked_key_is_told_within_five_minutes_while_upstream_is_up() -> None:
    for revoked_after in (0.0, 1.0, 29.0, 119.0, 239.0, 241.0, 299.0):
        world = World()
        await world.get()
        world.clock.advance(revoked_after)
        world.upstream.keys["phc_web"].remove("phx_web")
        statuses = await world.poll_for(300.0)
        assert 401 in statuses, revoked_after
        assert set(statuses[statuses.index(401) :]) == {401}
        assert (await world.get("phx_web_two")).status == 200


@pytest.mark.parametrize("every", [1.0, 10.0, 30.0, 60.0, 300.0])
async def test_callers_of_any_pace_learn_of_a_revocation(every: float) -> None:
    world = World()
    await world.get()
    world.upstream.keys["phc_web"].remove("phx_web")
    assert (await world.poll_for(300.0, every=every))[-1] == 401


async def test_an_acceptance_with_one_token_of_a_project_is_none_with_another() -> None:
    world = World()
    await world.get()
    assert (await world.get(token="phc_web_old")).status == 401
    world.upstream.say = lambda _token, _key: AWAY
    world.clock.advance(2.0)
    assert (await world.get(token="phc_web_old")).status == 503
    assert (await world.get()).status == 200


async def test_a_revoked_key_stays_out_when_upstream_goes_away_afterwards() -> None:
    world = World()
    await world.get()
    world.upstream.keys["phc_web"].remove("phx_web")
    await world.poll_for(300.0)
    world.upstream.say = lambda _token, _key: AWAY
    world.clock.advance(30.0)
    assert (await world.get()).status == 503


async def test_a_restored_key_is_let_in_again_at_once() -> None:
    world = World()
    await world.get()
    world.upstream.keys["phc_web"].remove("phx_web")
    await world.poll_for(300.0)
    world.upstream.keys["phc_web"].add("phx_web")
    world.clock.advance(1.0)
    assert (await world.get()).status == 200


async def test_the_token_may_come_in_the_header_and_counts_the_same() -> None:
    world = World()
    assert (await world.get(token=None, header_token="phc_web")).status == 200
    world.upstream.say = lambda _token, _key: AWAY
    assert (await world.get()).status == 200
    assert (await world.get(path="/api/feature_flag/local_evaluation/")).status == 200
    assert (await world.get(token=None, header_token="phc_shop")).status == 503


async def test_two_tokens_or_no_key_are_never_ours_to_answer() -> None:
    world = World()
    await world.get()
    world.upstream.say = lambda _token, _key: AWAY
    assert (await world.get(key=None)).status == 503
    assert (await world.get(header_token="phc_shop")).status == 403
    assert (await world.get(token="phc_web&token=phc_web")).status == 503
    assert (await world.get(token="phc_nobody")).status == 403


async def test_a_caller_cannot_make_its_own_304_an_acceptance() -> None:
    world = World()
    world.upstream.etag = None
    world.sets["web"] = replace(world.sets["web"], etag=None)
    world.upstream.say = lambda _token, _key: status(304)
    assert (await world.get(etag=ETAG)).status == 503


async def test_nothing_that_is_kept_or_told_shows_a_key_or_a_token() -> None:
    world = World()
    told: list[object] = []
    world.keys.records.tell = told.append
    await world.get()
    world.upstream.keys["phc_web"].remove("phx_web")
    await world.poll_for(300.0)
    assert len(told) >= 2
    assert "phx_web" not in repr(told) + repr(vars(world.keys.records))
    assert "phc_web" not in repr(told) + repr(vars(world.keys.records))
