"""What people do to single flags arrives with the next poll, at real SDKs and in the proxy's local answers, canary or not."""

import json

from tests.sdks.support.raw import JSON, exchange, request_of
from tests.sdks.support.until import until
from tests.sdks.support.world import ADA, PERSONAL_KEY, SWITCH, TOKEN, everyone

SDKS = ("posthog-python@7.91.1", "posthog-node@5.70.0")
THREE = (SWITCH, "in-europe", "plan-gate")


def local(app, name="proxied"):
    return app.do("flags", name=name, person=ADA, local=True)


def test_one_flag_to_nobody_one_off_and_one_deleted_arrive_with_the_next_poll_though_the_canary_is_on(application, keep):
    kept = keep(local_first=True)
    kept.start_proxy()
    apps = {sdk: application(sdk) for sdk in SDKS}
    for app in apps.values():
        app.do("start", name="proxied", host=kept.tap.url, token=TOKEN, key=PERSONAL_KEY, poll_s=0.25)
        assert [local(app)["flags"][key] for key in THREE] == [True, True, True]
    until(lambda: locally(kept) == dict.fromkeys(THREE, True), "a local answer")
    asked_before = kept.upstream.seen()["flags"]

    change(kept, SWITCH, rollout=0)
    change(kept, "in-europe", active=False)
    change(kept, "plan-gate", deleted=True)
    kept.publish()  # A set that is held back would be for 100 polls, longer than anything here is waited for.
    until(lambda: locally(kept) == {SWITCH: False}, "the three changes in a local answer")
    assert kept.upstream.seen()["flags"] == asked_before
    after = {}
    for sdk, app in apps.items():
        until(lambda app=app: not local(app)["flags"][SWITCH], f"the changes in {sdk}")
        after[sdk] = local(app)
        app.do("start", name="direct", host=kept.upstream.url, token=TOKEN, key=PERSONAL_KEY)
        assert after[sdk] == local(app, "direct")
        assert not any(after[sdk]["flags"].get(key) for key in THREE)

    for key in ("beta-search", "checkout-layout", "server-only", "browser-only"):
        change(kept, key, rollout=0)
    change(kept, SWITCH, rollout=100)
    kept.publish()  # Now five at once: the canary's affair.
    waiting = until(lambda: kept.standing()["waiting"], "a set that is held back")
    assert waiting["reason"] == "many_values_change"
    assert {sdk: local(app) for sdk, app in apps.items()} == after
    assert locally(kept) == {SWITCH: False}


def change(kept, key, *, rollout=None, **fields):
    """Edit one flag as the service would: its version counts up."""
    flag = next(flag for flag in kept.document["flags"] if flag["key"] == key)
    flag.update(fields, version=flag["version"] + 1)
    if rollout is not None:
        flag["filters"]["groups"] = [everyone(rollout)]


def locally(kept):
    """Ask the proxy for the three flags; return what it says without upstream, None when it asked."""
    body = {"token": TOKEN, **ADA, "flag_keys_to_evaluate": THREE, "geoip_disable": True}
    agent = {"User-Agent": "posthog-python/7.91.1"}
    answer = exchange(kept.proxy.url, request_of("POST", "/flags/?v=2", {**JSON, **agent}, json.dumps(body).encode()))
    if "detail=local" not in answer.headers["cache-status"]:
        return None
    document = json.loads(answer.body)
    assert document["errorsWhileComputingFlags"] is False
    return {key: record["enabled"] for key, record in document["flags"].items()}
