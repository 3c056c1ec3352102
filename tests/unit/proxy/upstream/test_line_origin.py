from __future__ import annotations

import asyncio
from random import Random

import aiohttp
import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.config.settings import Breaker, Upstream
from proxy.upstream.breaker import State
from proxy.upstream.errors import EXPECTED, failure_of
from proxy.upstream.origin import Origin, OriginSettings
from proxy.upstream.outcomes import BY_STATUS, Feed, meaning
from proxy.upstream.retries import RESERVE, RetryBudget
from tests.fakes.clock import FakeClock
from tests.fakes.requests import flags_request
from tests.fakes.transport import FakeTransport, good

DEAD = Failure(trouble=Trouble.RESET, no_byte_received=True)
TLS = Failure(trouble=Trouble.TLS, no_byte_received=True)
REFUSED = Failure(trouble=Trouble.REFUSED, no_byte_received=True)


class Scripted(FakeTransport):
    """Says one thing after the other, then the last for ever."""

    def __init__(self, *script: Whole | Failure) -> None:
        super().__init__(lambda _: script[min(len(self.asked), len(script)) - 1])


def origin(transport: FakeTransport, *, places: int = 10, **breaker: float) -> Origin:
    upstream = Upstream(url="http://x", connections=places, queue=0)
    settings = OriginSettings(upstream, Breaker(**breaker), has_one_project=True)
    return Origin(settings, transport=transport, clock=FakeClock(), rng=Random(1))


async def test_a_connection_that_died_in_the_pool_is_tried_once_more() -> None:
    transport = Scripted(DEAD, good())
    assert (await origin(transport).ask(flags_request())).failure is None
    assert len(transport.asked) == 2


@pytest.mark.parametrize("failure", [TLS, Failure(trouble=Trouble.RESET), Failure(trouble=Trouble.TIMEOUT)])
async def test_nothing_else_is_tried_again(failure: Failure) -> None:
    transport = Scripted(failure, good())
    assert (await origin(transport).ask(flags_request())).failure == failure
    assert len(transport.asked) == 1


async def test_a_second_dead_connection_is_a_failure() -> None:
    transport = Scripted(DEAD, DEAD, good())
    assert (await origin(transport).ask(flags_request())).failure == DEAD
    assert len(transport.asked) == 2


async def test_retries_are_at_most_a_tenth_of_the_traffic() -> None:
    transport = FakeTransport(DEAD)
    of = origin(transport, consecutive=10_000, minimum_calls=100_000)
    for _ in range(1_000):
        await of.ask(flags_request())
    assert 1_000 < len(transport.asked) <= 1_102


def test_a_quiet_stretch_saves_up_no_more_than_the_reserve() -> None:
    budget = RetryBudget()
    for _ in range(1_000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == RESERVE


async def test_a_probe_is_not_tried_again() -> None:
    transport = FakeTransport(REFUSED)
    of = origin(transport, consecutive=1)
    await of.ask(flags_request())
    clock = of._clock
    assert isinstance(clock, FakeClock)
    clock.advance(2)
    transport.say = DEAD
    await of.ask(flags_request())
    assert len(transport.asked) == 2


async def test_the_bulkhead_refuses_at_once_and_frees_each_place() -> None:
    transport = FakeTransport()
    of = origin(transport, places=2)
    transport.hold()
    under_way = [asyncio.create_task(of.ask(flags_request(str(n)))) for n in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
    refused = (await of.ask(flags_request("3"))).failure
    assert refused is not None
    assert refused.trouble is Trouble.SHED
    transport.release()
    await asyncio.gather(*under_way)
    assert (of.bulkhead.taken, of.bulkhead.refused) == (0, 1)
    assert (await of.ask(flags_request("4"))).failure is None


async def test_a_cancelled_exchange_gives_everything_back_and_teaches_nothing() -> None:
    transport = FakeTransport(REFUSED)
    of = origin(transport, consecutive=1)
    transport.hold()
    task = asyncio.create_task(of.ask(flags_request()))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert of.bulkhead.taken == 0
    assert of.gate.state is State.CLOSED


async def test_an_open_breaker_takes_no_place() -> None:
    of = origin(FakeTransport(REFUSED), consecutive=1)
    await of.ask(flags_request())
    await of.ask(flags_request())
    assert of.bulkhead.taken == 0


@pytest.mark.parametrize("status", [200, 204, 405])
async def test_other_methods_are_judged_by_status_alone(status: int) -> None:
    transport = FakeTransport(Whole(status, "", b""))
    assert (await origin(transport).ask(flags_request(method="GET"))).failure is None


def test_every_status_has_a_meaning() -> None:
    for status in range(100, 600):
        row = meaning(Whole(status, "", b""), is_evaluation=True, is_flags_body=True)
        is_caller = 400 <= status < 500 and status not in {408, 429}
        assert (row.trouble is None) == (status == 200 or is_caller), status
        assert row.is_relayable == (row.trouble is None or (status >= 400 and status not in {502, 504})), status
        assert (row.feed is Feed.NOBODY) == (row.trouble is None), status
    assert BY_STATUS[429].feed is Feed.PROJECT


@pytest.mark.parametrize(
    ("error", "trouble", "untouched"),
    [
        (aiohttp.ServerDisconnectedError(), Trouble.RESET, True),
        (aiohttp.ClientOSError(104, "reset"), Trouble.RESET, False),
        (aiohttp.ClientPayloadError(), Trouble.INCOMPLETE, False),
        (aiohttp.ConnectionTimeoutError(), Trouble.CONNECT_TIMEOUT, True),
        (aiohttp.SocketTimeoutError(), Trouble.TIMEOUT, False),
        (TimeoutError(), Trouble.TIMEOUT, False),
        (aiohttp.ClientConnectionError(), Trouble.RESET, False),
        (ConnectionResetError(), Trouble.RESET, False),
        (aiohttp.ClientResponseError(None, (), status=400), Trouble.MALFORMED, False),  # type: ignore[arg-type]
        (aiohttp.InvalidURL("x"), Trouble.MALFORMED, False),
    ],
)
def test_every_exception_has_one_word_and_no_invented_status(error: Exception, trouble: Trouble, untouched: bool) -> None:
    assert isinstance(error, EXPECTED)
    assert failure_of(error) == Failure(trouble=trouble, no_byte_received=untouched)
