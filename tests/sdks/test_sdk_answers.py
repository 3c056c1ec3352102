"""Unmodified SDKs through the proxy, only the host changed, while all is well: as if the proxy were not there."""

import json

import pytest

from tests.sdks.support.until import until
from tests.sdks.support.world import ADA, PEOPLE, PERSONAL_KEY, TOKEN
from tools.sdks.lanes import QUICK, Kind

SDKS = list(QUICK)
SERVER_SDKS = [name for name, lane in QUICK.items() if lane.kind is not Kind.BROWSER]
OF_OTHER_RUNTIME = {Kind.PYTHON: "browser-only", Kind.NODE: "browser-only", Kind.BROWSER: "server-only"}


@pytest.mark.parametrize("sdk", SDKS)
def test_flags_and_payloads_equal_those_of_the_service(sdk, application, shared):
    app = application(sdk)
    for person in PEOPLE:
        for name, host in (("direct", shared.service.url), ("proxied", shared.tap.url)):
            app.do(
                "start", name=name, host=host, token=TOKEN, **({"person": person} if QUICK[sdk].kind is Kind.BROWSER else {})
            )
        direct = app.do("flags", name="direct", person=person)
        assert app.do("flags", name="proxied", person=person) == direct
        assert direct["flags"]["outage-switch"] is True
        assert direct["flags"]["checkout-layout"] in {"control", "compact", "spacious"}
        assert direct["flags"]["plan-gate"] is (person is ADA)
        assert direct["flags"]["stored-country"] is (person is ADA)
        assert json.dumps(direct["payloads"]["outage-switch"]).strip('"\\') == "before"
        assert OF_OTHER_RUNTIME[QUICK[sdk].kind] not in direct["flags"]
    assert shared.tap.last("/flags").answer.headers["cache-status"].startswith("holdfast; fwd=")


@pytest.mark.parametrize("sdk", SDKS)
def test_an_event_arrives_upstream(sdk, application, shared):
    app = application(sdk)
    event = f"greeting from {sdk}"
    app.do(
        "start",
        name="proxied",
        host=shared.tap.url,
        token=TOKEN,
        **({"person": ADA} if QUICK[sdk].kind is Kind.BROWSER else {}),
    )
    app.do("capture", name="proxied", distinct_id="ada", event=event)

    def arrived():
        batches = [batch["events"] or [] for batch in shared.service.events()]
        return [item for batch in batches for item in batch if item.get("event") == event]

    (found,) = until(arrived, f"the event of {sdk}")
    assert found["properties"]["source"] == "sdk"


@pytest.mark.parametrize("sdk", SERVER_SDKS)
def test_local_evaluation_from_definitions_polled_through_the_proxy_equals_polling_the_service(sdk, application, shared):
    app = application(sdk)
    for name, host in (("direct", shared.service.url), ("proxied", shared.tap.url)):
        app.do("start", name=name, host=host, token=TOKEN, key=PERSONAL_KEY)
    for person in PEOPLE:
        direct = app.do("flags", name="direct", person=person, local=True)
        assert app.do("flags", name="proxied", person=person, local=True) == direct
        assert direct["flags"]["plan-gate"] is (person is ADA)
        assert "stored-country" not in direct["flags"]
    app.do("poll", name="proxied")
    polls = [
        exchange for exchange in shared.tap.exchanges("/flags/definitions") if exchange.request.headers.get("if-none-match")
    ]
    assert polls[-1].answer.first_line.split()[1] == "304"
