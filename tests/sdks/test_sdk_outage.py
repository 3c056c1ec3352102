"""Unmodified SDKs through the proxy while the service dies and comes back."""

import json

import pytest

from tests.sdks.support import world
from tests.sdks.support.until import until
from tests.sdks.support.world import ADA, PERSONAL_KEY, SWITCH, TOKEN
from tools.sdks.lanes import QUICK, Kind


def is_stale(exchange):
    return "detail=stale" in exchange.answer.headers["cache-status"]


@pytest.mark.parametrize("sdk", list(QUICK))
def test_the_same_answers_labelled_stale_while_the_service_is_dead_and_fresh_ones_after(sdk, application, stack):
    app = application(sdk)
    in_browser = QUICK[sdk].kind is Kind.BROWSER
    begin = {"host": stack.tap.url, "token": TOKEN, **({"person": ADA} if in_browser else {})}
    app.do("start", name="proxied", **begin)
    before = app.do("flags", name="proxied", person=ADA)
    if not in_browser:  # Asks for one flag, which is another question than all flags; a page has one set for both.
        assert app.do("flag", name="proxied", person=ADA, key=SWITCH) == {"value": True, "error": None}
    assert not any(is_stale(exchange) for exchange in stack.tap.exchanges("/flags/?"))

    stack.service.kill()
    during = app.do("flags", name="proxied", person=ADA)
    told = stack.tap.last("/flags/?").answer
    assert during == before
    assert "detail=stale" in told.headers["cache-status"]
    assert (
        "error=connection_refused" in told.headers["proxy-status"] or "destination_unavailable" in told.headers["proxy-status"]
    )
    assert json.loads(told.body)["errorsWhileComputingFlags"] is True
    if not in_browser:  # The SDK reports a flag once per client: another one tells what its events say now.
        app.do("start", name="another", **begin)
    asked = app.do("flag", name="proxied" if in_browser else "another", person=ADA, key=SWITCH)
    assert asked == {"value": True, "error": "errors_while_computing_flags"}

    world.write(stack.definitions, "after")
    stack.service.start()
    after = until(lambda: fresh_flags(app, stack), "a fresh answer")
    assert json.dumps(after["payloads"].pop(SWITCH)).strip('"\\') == "after"
    before["payloads"].pop(SWITCH)
    assert after == before


def fresh_flags(app, stack):
    answer = app.do("flags", name="proxied", person=ADA)
    return None if is_stale(stack.tap.last("/flags/?")) else answer


@pytest.mark.parametrize("sdk", [name for name, lane in QUICK.items() if lane.kind is not Kind.BROWSER])
def test_local_evaluation_keeps_its_definitions_while_the_service_is_dead(sdk, application, stack):
    app = application(sdk)
    app.do("start", name="proxied", host=stack.tap.url, token=TOKEN, key=PERSONAL_KEY)
    before = app.do("flags", name="proxied", person=ADA, local=True)
    stack.service.kill()
    app.do("poll", name="proxied")
    assert app.do("flags", name="proxied", person=ADA, local=True) == before
    assert before["flags"]["plan-gate"] is True
