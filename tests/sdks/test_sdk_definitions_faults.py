"""Real SDKs poll definitions through the proxy while upstream says one wrong thing after the other: no flag is ever lost."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.sdks.support.raw import BEARER, DEFINITIONS, exchange, request_of
from tests.sdks.support.until import until
from tests.sdks.support.upstream import FREEZE, definitions
from tests.sdks.support.world import ADA, PERSONAL_KEY, SWITCH, TOKEN, everyone, flag

SDKS = ("posthog-python@7.91.1", "posthog-node@5.70.0")
CLIENTS = 100


def say(status, body):
    return definitions(kind="say", status=status, body=body, content_type="application/json")


QUOTA = json.dumps(
    {"type": "quota_limited", "detail": "You have exceeded your feature flag request quota", "code": "payment_required"}
)
INVALID = json.dumps({"type": "authentication_error", "code": "authentication_failed", "detail": "Incorrect credentials"})
# In this order the proxy's own pace stays quick: a poll that brings a document, even a bad one, ends its back-off.
FAULTS = {
    "401 for everybody": say(401, INVALID),
    "an empty list": definitions(kind="emptied"),
    "402 for everybody": say(402, QUOTA),
    "garbage": definitions(kind="say", status=200, body="<html>Welcome</html>", content_type="text/html"),
    "429 for everybody": say(429, "{}"),
    "a frozen set": definitions(kind="outdated"),
    "500 for everybody": say(500, "{}"),
}


def test_whatever_upstream_says_no_sdk_loses_a_flag_at_any_point(application, keep):
    kept = keep(revalidate_s=0.5, keys=[key_of(name) for name in FAULTS])
    kept.start_proxy()
    until(kept.snapshots, "a first set")
    kept.upstream.play(FREEZE)
    kept.document["flags"].append(flag(11, "new-since", [everyone()]))
    kept.document["flags"][8]["version"] += 1
    kept.publish()
    apps = {sdk: application(sdk) for sdk in SDKS}
    before = {}
    for sdk, app in apps.items():
        app.do("start", name="proxied", host=kept.tap.url, token=TOKEN, key=PERSONAL_KEY, poll_s=0.2)
        until(lambda app=app: "new-since" in local(app, "proxied")["flags"], f"the newest definitions in {sdk}")
        before[sdk] = local(app, "proxied")
        assert before[sdk]["flags"][SWITCH] is before[sdk]["flags"]["plan-gate"] is True
        app.do("watch", name="proxied", person=ADA)
        for name in FAULTS:
            app.do("start", name=name, host=kept.tap.url, token=TOKEN, key=key_of(name))
    calm = len(kept.tap.exchanges("/flags/definitions"))

    for name, fault in FAULTS.items():
        kept.upstream.play(fault, FREEZE)
        until(lambda: sum(kept.upstream.seen()["played"].values()) >= 2, f"two polls of the proxy that met {name}")
        for sdk in SDKS:
            polled = len(polls(kept, sdk))
            until(lambda sdk=sdk, polled=polled: len(polls(kept, sdk)) >= polled + 2, f"two polls of {sdk} after {name}")
        for sdk, app in apps.items():
            app.do("poll", name=name)  # The proxy asks about its key again, and meets the fault.
            assert (name, local(app, name)) == (name, before[sdk])
            assert (name, app.do("seen", name="proxied")["answers"]) == (name, [before[sdk]])
    told = kept.tap.exchanges("/flags/definitions")[calm:]
    assert {poll.answer.first_line.split()[1] for poll in told} <= {"200", "304"}


def key_of(fault):
    """A key that is asked about during one fault: after an answer in vain the proxy leaves a key alone for a while."""
    return "phx_" + fault.replace(" ", "_")


def local(app, name):
    return app.do("flags", name=name, person=ADA, local=True)


def polls(kept, sdk):
    return kept.polls_of(sdk.replace("@", "/"))


def test_a_hundred_clients_that_poll_cost_upstream_one_request(keep):
    kept = keep(poll_s=3600, revalidate_s=86_400)
    kept.start_proxy()
    until(kept.snapshots, "a first set")
    kept.upstream.play()
    first = everybody(kept)
    assert {answer.first_line.split()[1] for answer in first} == {"200"}
    assert {len(json.loads(answer.body)["flags"]) for answer in first} == {len(kept.document["flags"])}
    (etag,) = {answer.headers["etag"] for answer in first}
    for _ in range(3):
        assert {answer.first_line.split()[1] for answer in everybody(kept, etag=etag)} == {"304"}
    assert kept.upstream.seen()["definitions"] == 1


def everybody(kept, etag=None):
    """Let all clients poll at once; return what each was told."""
    target, headers = DEFINITIONS["go"]
    condition = {"If-None-Match": etag} if etag else {}
    stream = request_of("GET", target, {**headers, **BEARER, **condition})
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(lambda _: exchange(kept.proxy.url, stream), range(CLIENTS)))
