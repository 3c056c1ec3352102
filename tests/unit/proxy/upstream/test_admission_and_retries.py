"""Places, the queue, the slow lane, second tries, pure relays and how long exchanges take."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import ProjectName
from proxy.answer.switches import Mode
from proxy.config.settings import Breaker, Upstream
from proxy.upstream.breaker import State
from proxy.upstream.origin import Origin, OriginSettings
from proxy.upstream.pace import DEFAULT_S, ENOUGH, Pace
from tests.fakes.clock import FakeClock
from tests.fakes.requests import flags_request
from tests.fakes.transport import FakeTransport, good

BAD_GATEWAY = Whole(502, "", b"")
REFUSED = Failure(trouble=Trouble.REFUSED, no_byte_received=True)
ASH, ELM = ProjectName("ash"), ProjectName("elm")


class Scripted(FakeTransport):
    """Says one thing after the other, then the last for ever."""

    def __init__(self, *script: Whole | Failure) -> None:
        super().__init__(lambda _: script[min(len(self.asked), len(script)) - 1])


def origin(transport: FakeTransport, *, upstream: dict[str, Any] | None = None, one: bool = True, **breaker: float) -> Origin:
    settings = OriginSettings(Upstream(url="http://x", **upstream or {}), Breaker(**breaker), has_one_project=one)
    return Origin(settings, transport=transport, clock=FakeClock(), rng=Random(1))


async def turn() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def slow(of: Origin) -> None:
    """Trip by slowness: calls that nobody ends."""
    for _ in range(of.settings.breaker.minimum_calls):
        of.gate.admit()
    of._clock.advance(of.settings.breaker.slow_s)  # type: ignore[attr-defined]
    assert of.gate.state is State.OPEN


# --- places ---------------------------------------------------------------------------------------------------------------


async def test_one_project_of_several_leaves_room_for_the_others() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 4, "queue": 0}, one=False)
    tasks = [asyncio.create_task(of.ask(flags_request(project=ASH))) for _ in range(4)]
    await turn()
    assert len(transport.asked) == 2
    tasks += [asyncio.create_task(of.ask(flags_request(project=ELM))) for _ in range(2)]
    await turn()
    assert len(transport.asked) == 4
    transport.release()
    troubles = [tried.failure and tried.failure.trouble for tried in await asyncio.gather(*tasks)]
    assert troubles == [None, None, Trouble.SHED, Trouble.SHED, None, None]


async def test_a_single_project_has_all_places() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 4, "queue": 0})
    tasks = [asyncio.create_task(of.ask(flags_request())) for _ in range(4)]
    await turn()
    assert len(transport.asked) == 4
    transport.release()
    await asyncio.gather(*tasks)


async def test_who_waited_for_a_place_asks_for_leave_again() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 1, "queue": 1, "queue_wait_s": 2})
    first = asyncio.create_task(of.ask(flags_request(deadline=of._clock.monotonic() + 2)))
    second = asyncio.create_task(of.ask(flags_request(deadline=of._clock.monotonic() + 2)))
    await turn()
    assert of.bulkhead.waiting == 1
    of.gate.force(State.OPEN)
    transport.release()
    assert (await first).failure is None
    refused = (await second).failure
    assert refused is not None
    assert refused.trouble is Trouble.BREAKER_OPEN
    assert (len(transport.asked), of.bulkhead.taken) == (1, 0)


async def test_nobody_waits_for_a_place_past_its_own_deadline() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 1, "queue": 10, "queue_wait_s": 2})
    first = asyncio.create_task(of.ask(flags_request()))
    await turn()
    refused = (await of.ask(flags_request(deadline=of._clock.monotonic()))).failure
    assert refused is not None
    assert refused.trouble is Trouble.SHED
    transport.release()
    await first


async def test_a_probe_needs_no_place_behind_those_it_is_to_save() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 1, "queue": 0})
    hanging = asyncio.create_task(of.ask(flags_request()))
    await turn()
    of.gate.force(State.OPEN)
    of.gate.force(None)
    probe = asyncio.create_task(of.ask(flags_request()))
    await turn()
    assert len(transport.asked) == 2
    transport.release()
    assert (await probe).failure is None
    await hanging


# --- the slow lane --------------------------------------------------------------------------------------------------------


async def test_while_upstream_is_slow_only_who_has_another_source_is_turned_away() -> None:
    transport = FakeTransport()
    of = origin(transport)
    slow(of)
    refused = (await of.ask(flags_request(), has_other_source=True)).failure
    assert refused is not None
    assert refused.is_slowness
    assert (await of.ask(flags_request(), has_other_source=False)).failure is None
    assert (await of.ask(flags_request(), lane=True)).failure is None
    assert of.lane.used == 2
    assert of.gate.state is State.OPEN, "what the lane brings back decides nothing"


async def test_the_lane_is_small_and_beyond_it_the_breakers_own_reason_is_given() -> None:
    transport = FakeTransport()
    of = origin(transport, upstream={"slow_lane": 2})
    slow(of)
    transport.hold()
    tasks = [asyncio.create_task(of.ask(flags_request(), lane=True)) for _ in range(5)]
    await turn()
    assert len(transport.asked) == 2
    transport.release()
    troubles = [tried.failure and tried.failure.trouble for tried in await asyncio.gather(*tasks)]
    assert troubles == [None, None] + [Trouble.BREAKER_OPEN] * 3
    assert (of.lane.taken, of.lane.refused) == (0, 3)


async def test_a_failing_upstream_has_no_lane() -> None:
    transport = FakeTransport(Whole(500, "", b""))
    of = origin(transport, consecutive=1)
    await of.ask(flags_request())
    assert (await of.ask(flags_request(), has_other_source=False, lane=True)).failure is not None
    assert len(transport.asked) == 1


# --- second tries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [REFUSED, BAD_GATEWAY, Whole(504, "", b""), Failure(trouble=Trouble.DNS, no_byte_received=True)]
)
async def test_what_a_second_try_can_mend_gets_one(first: Whole | Failure) -> None:
    transport = Scripted(first, good())
    assert (await origin(transport).ask(flags_request())).failure is None
    assert len(transport.asked) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_an_answer_of_upstreams_own_is_not_asked_for_twice(status: int) -> None:
    transport = Scripted(Whole(status, "", b""), good())
    await origin(transport).ask(flags_request())
    assert len(transport.asked) == 1


async def test_retries_can_be_switched_off() -> None:
    transport = Scripted(BAD_GATEWAY, good())
    assert (await origin(transport).ask(flags_request(), mode=Mode(retry=False))).failure is not None
    assert len(transport.asked) == 1


async def test_a_mended_call_still_counts_its_first_failure() -> None:
    transport = Scripted(BAD_GATEWAY, good())
    of = origin(transport)
    await of.ask(flags_request())
    assert of.gate._inner.window.whole.failures == 1
    assert of.gate._inner.window.whole.calls == 2


async def test_a_connection_that_died_in_the_pool_is_nobodys_failure_where_the_second_try_went_well() -> None:
    transport = Scripted(Failure(trouble=Trouble.RESET, no_byte_received=True), good())
    of = origin(transport)
    await of.ask(flags_request())
    assert of.gate._inner.window.whole.failures == 0


async def test_there_is_no_second_try_once_the_first_has_tripped_the_breaker() -> None:
    transport = Scripted(BAD_GATEWAY, good())
    of = origin(transport, consecutive=1)
    tried = await of.ask(flags_request())
    assert tried.failure is not None
    assert tried.failure.status == 502
    assert len(transport.asked) == 1


async def test_there_is_no_second_try_on_the_ramp() -> None:
    transport = FakeTransport()
    of = origin(transport)
    of.gate.force(State.OPEN)
    of.gate.force(None)
    for _ in range(3):
        await of.ask(flags_request())
    assert of.gate.state is State.CLOSED
    transport.say = BAD_GATEWAY
    await of.ask(flags_request())
    assert len(transport.asked) == 4


async def test_there_is_no_second_try_that_the_deadline_leaves_no_time_for() -> None:
    transport = Scripted(BAD_GATEWAY, good())
    of = origin(transport)
    await of.ask(flags_request(deadline=of._clock.monotonic() + DEFAULT_S))
    assert len(transport.asked) == 1


# --- relays ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [BAD_GATEWAY, Whole(302, "", b""), good(b"<html>"), REFUSED])
async def test_a_relay_returns_what_came_whatever_it_is_and_teaches_nothing(said: Whole | Failure) -> None:
    transport = FakeTransport(said)
    of = origin(transport, consecutive=1, upstream={"connections": 1, "queue": 0})
    of.gate.force(State.OPEN)
    for _ in range(20):
        assert await of.relay(flags_request()) is said
    of.gate.force(None)
    assert (of.relayed, len(transport.asked), of.gate.trips) == (20, 20, 0)


async def test_observed_the_breaker_learns_and_says_what_it_would_do_and_refuses_nobody() -> None:
    transport = FakeTransport(BAD_GATEWAY)
    of = origin(transport, consecutive=3)
    for _ in range(3):
        said, tried = await of.observe(flags_request())
        assert said is BAD_GATEWAY
        assert tried.failure is not None
        assert tried.failure.status == 502
    said, tried = await of.observe(flags_request())
    assert said is BAD_GATEWAY
    assert tried.failure is not None
    assert tried.failure.trouble is Trouble.BREAKER_OPEN
    assert len(transport.asked) == 4


async def test_observed_a_full_bulkhead_is_only_noted() -> None:
    transport = FakeTransport()
    transport.hold()
    of = origin(transport, upstream={"connections": 1, "queue": 0})
    tasks = [asyncio.create_task(of.observe(flags_request())) for _ in range(2)]
    await turn()
    transport.release()
    troubles = [tried.failure and tried.failure.trouble for _, tried in await asyncio.gather(*tasks)]
    assert troubles == [None, Trouble.SHED]
    assert of.bulkhead.taken == 0


# --- pace -----------------------------------------------------------------------------------------------------------------


def test_the_95th_percentile_is_right_to_a_tenth() -> None:
    pace = Pace()
    durations = [0.001 * n for n in range(1, 321)]
    Random(4).shuffle(durations)
    for seconds in durations:
        pace.note(seconds)
    assert 0.304 * 0.9 <= pace.p95_s <= 0.304 * 1.11


def test_it_says_a_default_until_it_has_seen_enough() -> None:
    pace = Pace()
    for _ in range(ENOUGH - 1):
        pace.note(0.004)
    assert pace.p95_s == DEFAULT_S
    pace.note(0.004)
    assert pace.p95_s == pytest.approx(0.004, rel=0.11)


def test_what_is_old_fades() -> None:
    pace = Pace()
    for seconds in (1.0,) * 5_000 + (0.01,) * 5_000:
        pace.note(seconds)
    assert pace.p95_s < 0.012


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 86_400.0])
def test_no_duration_is_too_odd(seconds: float) -> None:
    pace = Pace()
    for _ in range(ENOUGH):
        pace.note(seconds)
    assert 0 < pace.p95_s < 60


async def test_only_good_exchanges_set_the_pace() -> None:
    transport = FakeTransport(Whole(500, "", b""))
    of = origin(transport, consecutive=1000, minimum_calls=1000)
    for _ in range(ENOUGH):
        await of.ask(flags_request())
    assert of.p95_s() == DEFAULT_S
    transport.say = good()
    for _ in range(ENOUGH):
        await of.ask(flags_request())
    assert of.p95_s() < DEFAULT_S
