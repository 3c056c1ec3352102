"""Windows of single flags on the line: how long an answer that has them is fresh, and how old they may be in an outage."""

from __future__ import annotations

from proxy.answer.answer import Source
from proxy.config.settings import FlagPolicy, Policy
from tests.fakes.keeping import ASK, KeepingLine, values
from tests.fakes.records import record

FAST = Policy(fresh_s=10, flags={"price": FlagPolicy(fresh_s=2), "banner": FlagPolicy(fresh_s=60)})


async def line_with(policy: Policy, *keys: str) -> KeepingLine:
    line = KeepingLine(policy=policy)
    line.say(*(record(key) for key in keys))
    await line.ask(ASK)
    return line


async def test_an_answer_is_fresh_as_long_as_the_first_of_its_flags() -> None:
    for keys, fresh_s in ((("price", "other"), 2), (("other",), 10), (("banner", "other"), 10), (("banner",), 60)):
        line = await line_with(FAST, *keys)
        line.clock.advance(fresh_s - 0.5)
        assert (await line.ask(ASK)).source is Source.FRESH, keys
        line.clock.advance(0.5)
        assert (await line.ask(ASK)).source is Source.UPSTREAM, keys


async def test_a_flag_may_be_older_or_younger_than_the_others_in_an_outage() -> None:
    flags = {"price": FlagPolicy(stale_if_error_s=60), "banner": FlagPolicy(stale_if_error_s=7200)}
    line = await line_with(Policy(stale_if_error_s=3600, flags=flags), "price", "banner", "other")
    line.fail()
    found = []
    for seconds in (59, 1, 3539, 1, 3599, 1):
        line.clock.advance(seconds)
        answer = await line.ask(ASK)
        found.append(sorted(values(answer)) if answer.content.status == 200 else [])
    everything = ["banner", "other", "price"]
    assert found == [everything, ["banner", "other"], ["banner", "other"], ["banner"], ["banner"], []]


async def test_an_expired_flag_with_a_value_of_its_own_gets_that() -> None:
    flags = {"price": FlagPolicy(failure="fail-closed", stale=True, stale_if_error_s=60)}
    line = await line_with(Policy(flags=flags), "price", "other")
    line.fail()
    line.clock.advance(59)
    assert values(await line.ask(ASK)) == {"price": True, "other": True}
    line.clock.advance(1)
    assert values(await line.ask(ASK)) == {"price": False, "other": True}


async def test_a_longer_window_of_a_flag_that_is_not_in_the_answer_keeps_nothing_alive() -> None:
    line = await line_with(Policy(stale_if_error_s=60, flags={"banner": FlagPolicy(stale_if_error_s=7200)}), "other")
    line.fail()
    line.clock.advance(60)
    assert (await line.ask(ASK)).content.status == 503
