"""A project on pure relay: its definitions are upstream's, whatever is held."""

from __future__ import annotations

import pytest

from proxy.answer.answer import Whole
from tests.unit.proxy.edge.definitions.world import AWAY, DOCUMENT, OTHER_DOCUMENT, World, status


async def test_the_document_is_upstream_s_and_not_the_one_held() -> None:
    world = World()
    assert (await world.get("phx_web", "phc_web")).body == DOCUMENT
    world.upstream.say = lambda _token, _key: Whole(200, "application/json", OTHER_DOCUMENT, (("ETag", '"theirs"'),))
    world.pure.add("web")
    answer = await world.get("phx_web", "phc_web")
    assert (answer.body, answer.headers["ETag"]) == (OTHER_DOCUMENT, '"theirs"')
    world.pure.clear()
    assert (await world.get("phx_web", "phc_web")).body == DOCUMENT


@pytest.mark.parametrize("code", [401, 402, 403, 404, 429, 500])
async def test_a_refusal_is_handed_on_at_once_however_well_the_key_is_known(code: int) -> None:
    world = World()
    assert (await world.get("phx_web", "phc_web")).status == 200
    world.pure.add("web")
    world.upstream.say = lambda _token, _key: status(code)
    assert (await world.get("phx_web", "phc_web")).status == code
    world.pure.clear()
    assert (await world.get("phx_web", "phc_web")).status == 200


async def test_every_poll_reaches_upstream_and_none_is_answered_while_it_is_away() -> None:
    world = World()
    world.pure.add("web")
    for _ in range(5):
        assert (await world.get("phx_web", "phc_web")).body == DOCUMENT
    assert world.upstream.asked_by("phx_web") == 5
    world.upstream.say = lambda _token, _key: AWAY
    assert (await world.get("phx_web", "phc_web")).status == 503


async def test_another_project_is_answered_as_ever() -> None:
    world = World()
    world.pure.add("web")
    assert (await world.get("phx_shop", "phc_shop")).status == 200
    world.upstream.say = lambda _token, _key: AWAY
    assert (await world.get("phx_shop", "phc_shop")).status == 200
