"""Real SDKs with local evaluation start while the service is down: with a snapshot all is well, without one they recover."""

from tests.sdks.support.until import until
from tests.sdks.support.world import ADA, PERSONAL_KEY, SWITCH, TOKEN

# What an SDK says of a flag when neither definitions nor an answer could be had (sdks.md §1.8).
DOCUMENTED = {"posthog-python@7.91.1": "api_error_503", "posthog-node@5.70.0": "unknown_error"}
SDKS = list(DOCUMENTED)
STRANGER = {**ADA, "distinct_id": "never-seen-before"}
STORED = "stored-country"  # Needs a stored property: nobody but the service can tell.
OFF = "switched-off"  # The service leaves it out; the proxy says false, for browsers that merge.


def local(app, name):
    return app.do("flags", name=name, person=ADA, local=True)


def test_after_a_restart_in_the_middle_of_an_outage_the_snapshot_answers_at_once(application, keep):
    kept = keep()
    kept.start_proxy()
    apps = {sdk: application(sdk) for sdk in SDKS}
    before, told = {}, {}
    for sdk, app in apps.items():
        app.do("start", name="before", host=kept.tap.url, token=TOKEN, key=PERSONAL_KEY)
        before[sdk] = local(app, "before")
        app.do("start", name="direct", host=kept.upstream.url, token=TOKEN)
        told[sdk] = app.do("flags", name="direct", person=STRANGER)
        assert before[sdk]["flags"]["plan-gate"] is told[sdk]["flags"]["plan-gate"] is True
    until(kept.snapshots, "a snapshot on disk")
    until(kept.accepted_keys, "the accepted key on disk")

    kept.upstream.go_down()
    kept.stop_proxy()
    kept.start_proxy()
    for sdk, app in apps.items():
        app.do("start", name="after", host=kept.tap.url, token=TOKEN, key=PERSONAL_KEY)
        assert local(app, "after") == before[sdk]
        app.do("start", name="remote", host=kept.tap.url, token=TOKEN)
        answer = app.do("flags", name="remote", person=STRANGER)
        assert answer["flags"].pop(OFF) is told[sdk]["flags"].pop(STORED) is False
        assert answer == told[sdk]
        known = app.do("flag", name="remote", person=STRANGER, key=SWITCH)
        assert known == {"value": True, "error": "errors_while_computing_flags"}
        assert "detail=local" in kept.tap.last("/flags/?").answer.headers["cache-status"]
        unknown = app.do("flag", name="remote", person=STRANGER, key=STORED)
        assert unknown == {"value": None, "error": DOCUMENTED[sdk]}


def test_with_neither_snapshot_nor_service_sdks_say_so_and_recover_by_themselves(application, keep):
    kept = keep()
    kept.upstream.go_down()
    kept.start_proxy()
    apps = {sdk: application(sdk) for sdk in SDKS}
    for sdk, app in apps.items():
        app.do("start", name="proxied", host=kept.tap.url, token=TOKEN, key=PERSONAL_KEY, poll_s=0.25)
        assert local(app, "proxied") == {"flags": {}, "payloads": {}}
        asked = app.do("flag", name="proxied", person=ADA, key=SWITCH)
        assert asked == {"value": None, "error": DOCUMENTED[sdk]}
        assert {status(poll) for poll in polls(kept, sdk)} == {503}

    kept.upstream.come_back()
    for sdk, app in apps.items():
        until(lambda sdk=sdk: status(polls(kept, sdk)[-1]) in {200, 304}, "a poll of the SDK's own that brings definitions")
        assert local(app, "proxied")["flags"]["plan-gate"] is True
        app.do("start", name="direct", host=kept.upstream.url, token=TOKEN, key=PERSONAL_KEY)
        assert local(app, "proxied") == local(app, "direct")


def polls(kept, sdk):
    return kept.polls_of(sdk.replace("@", "/"))


def status(poll):
    return int(poll.answer.first_line.split()[1])
