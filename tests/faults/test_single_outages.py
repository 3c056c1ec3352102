"""What single scenarios are about, beyond what all of them have in common."""

from __future__ import annotations

import json

import pytest

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import Endpoint
from tests.faults.scene import DOCUMENT, USERS, Scene, definitions, said
from tests.wire.proxy_line.house import TOKEN, send

ABOUT_DEFINITIONS = sorted(name for name in SCENARIOS if name.startswith("definitions-"))


@pytest.mark.parametrize("name", ABOUT_DEFINITIONS)
async def test_bad_definitions_are_handed_on_where_none_are_kept_and_flags_are_not_touched(name: str) -> None:
    async with Scene() as scene:
        await scene.warm()
        good = await definitions(scene.proxy.port)
        await scene.put_on(SCENARIOS[name].worst, is_hasty=False)
        relayed, direct = await definitions(scene.proxy.port), await definitions(scene.stage.port)
        assert relayed.essence == direct.essence
        assert relayed.status == SCENARIOS[name].today.stranger
        assert relayed.body != good.body
        for user in USERS:
            assert scene.is_live(await scene.ask(user), user)
        await scene.end()
        assert (await definitions(scene.proxy.port)).essence == good.essence


async def test_an_outdated_200_is_the_answer_of_earlier_definitions_until_the_fault_ends() -> None:
    async with Scene() as scene:
        await scene.warm()
        earlier = await definitions(scene.stage.port)
        await scene.put_on(SCENARIOS["outdated-200"].worst, is_hasty=False)
        scene.redefine(flags=[flag for flag in DOCUMENT["flags"] if flag["key"] != "on"])
        assert "on" in (await scene.ask(USERS[0])).json()["flags"]
        assert (await definitions(scene.stage.port)).essence == earlier.essence
        await scene.end()
        assert "on" not in (await scene.ask(USERS[0])).json()["flags"]
        assert (await definitions(scene.stage.port)).body != earlier.body


async def test_waves_of_errors_trip_the_breaker_each_time_and_it_recovers_in_between() -> None:
    async with Scene() as scene:
        await scene.warm()
        gate = scene.proxy.line.origins["default"].gate
        for phase in SCENARIOS["partial-errors-2"].phases:
            if phase.is_calm:
                await scene.end()
                assert scene.is_live(await scene.recovered(USERS[0]), USERS[0])
                continue
            trips = gate.trips
            await scene.put_on(phase, is_hasty=False)
            for n in range(60):
                assert (await scene.ask(USERS[n % len(USERS)])).status == 200
            assert gate.trips == trips + 1


async def test_a_flood_of_429_tells_strangers_when_to_come_back() -> None:
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(SCENARIOS["rate-limit-flood"].worst, is_hasty=False)
        refused = await scene.ask("stranger")
        assert (refused.status, refused.headers["Retry-After"], said(refused)) == (429, "5", "rate_limited")


async def test_a_failed_flag_and_an_emptied_quota_never_enter_the_memory() -> None:
    async with Scene() as scene:
        await scene.warm()
        for name in ("partly-failed", "invalid-key"):
            await scene.put_on(SCENARIOS[name].worst, is_hasty=False)
            assert not scene.is_live(await scene.ask(USERS[0]), USERS[0])
            await scene.put_on(SCENARIOS["connection-refused"].worst, is_hasty=False)
            scene.assert_remembered(await scene.ask(USERS[0]), USERS[0], "connection_refused")
            await scene.end()


async def test_what_follows_a_length_that_is_too_short_is_nobodys_answer() -> None:
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(SCENARIOS["length-too-short"].worst, is_hasty=False)
        scene.assert_remembered(await scene.ask(USERS[0]), USERS[0], "malformed")
        await scene.end()
        for user in (USERS[1], USERS[0], USERS[2]):
            assert scene.is_live(await scene.ask(user), user)


async def test_the_service_counts_what_reaches_it_and_the_relay_what_is_tried() -> None:
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(SCENARIOS["reset-before-headers"].worst, is_hasty=False)
        await scene.ask(USERS[0])
        assert scene.stage.relay.exchanges >= 1
        assert scene.stage.layer.requests[Endpoint.FLAGS] == 0
        await scene.stage.calm()
        scene.stage.forget()
        await scene.ask(USERS[0])
        seen = scene.stage.seen()
        assert (seen.exchanges, seen.flags, seen.played) == (1, 1, {})


async def test_a_caller_in_a_browser_can_read_the_reason_in_an_outage() -> None:
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(SCENARIOS["gateway-503"].worst, is_hasty=False)
        reply = await scene.ask(USERS[0])
        assert json.loads(reply.body)["errorsWhileComputingFlags"] is True
        assert said(reply) == "status"
        assert "received-status=503" in reply.headers["Proxy-Status"]


async def test_callers_who_ask_flag_by_flag_lose_four_to_an_emptying_deploy_and_a_kill_switch_is_none() -> None:
    async with Scene() as scene:
        keys = list((await scene.direct("anna")).json()["flags"])

        async def values(user: str) -> list[object]:
            questions = [{"token": TOKEN, "distinct_id": user, "flag_keys": [key]} for key in keys]
            replies = [await send(scene.proxy.port, question) for question in questions]
            return [reply.json()["flags"].get(key, {}).get("enabled") for key, reply in zip(keys, replies, strict=True)]

        anna, ben = await values("anna"), await values("ben")
        assert None not in anna
        await scene.put_on(SCENARIOS["undefined-200"].worst, is_hasty=False)
        assert await values("anna") == [None] * 4 + anna[4:]
        assert await values("ben") == ben
        await scene.end()
        assert await values("anna") == anna
        scene.redefine(flags=[flag for flag in DOCUMENT["flags"] if flag["key"] != keys[5]])
        assert await values("ben") == [*ben[:5], None, *ben[6:]]
