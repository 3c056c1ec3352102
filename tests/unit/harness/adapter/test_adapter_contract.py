"""The adapter's face, held to PostHog's documented contract with a fake SDK; the real one is asked in tests/sdks."""

import gzip
import json
import threading
from http.client import HTTPConnection

import pytest

from harness.adapter.served.__main__ import server
from harness.adapter.served.contract import BODY_BYTES
from harness.adapter.served.face import Face
from harness.adapter.served.ledger import Ledger
from harness.adapter.served.posthog_python import batch
from tests.unit.harness.adapter.contract_cases import CASES, INIT, STATE, fits


class FakeClient:
    """A client that answers as the flag service of the cases would; sends nothing anywhere."""

    def __init__(self, sdk, config):
        self.sdk, self.config, self.pending = sdk, config, 0

    def capture(self, asked):
        self.sdk.ledger.captured()
        self.pending += 1
        return f"uuid-{self.pending}"

    def flush(self):
        before = self.sdk.ledger.sent
        self.sdk.ledger.requested(200, [f"uuid-{n + 1}" for n in range(self.pending)])
        self.pending = 0
        return self.sdk.ledger.sent - before

    def flag(self, asked):
        self.sdk.asked.append(asked)
        if asked["key"] == "raises":
            raise KeyError("groups")
        plans = {
            "pro": asked.get("person_properties", {}).get("plan") == "pro",
            "company": asked.get("group_properties", {}).get("company", {}).get("plan") == "pro",
        }
        return {"on": True, "off": False, "colour": "red", **plans}.get(asked["key"])

    def discard(self):
        self.sdk.ended += 1
        self.sdk.ledger.clear()


class FakeSdk:
    name, version, capabilities = "posthog-fake", "1.2.3", ("capture_v0",)

    def __init__(self):
        self.ledger, self.asked, self.started, self.ended = Ledger(), [], [], 0

    def start(self, config):
        self.started.append(config)
        return FakeClient(self, config)

    def state(self):
        return self.ledger.state()


def encoded(body):
    return b"" if body is None else json.dumps(body).encode()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_contract_holds(case):
    face = Face(FakeSdk())
    for step in case.steps:
        status, answer = face.answer(step.method, step.path, encoded(step.body))
        assert status == step.status, (step, answer)
        assert fits(json.loads(json.dumps(answer)), step.answer) == [], case.source


def test_the_sdk_is_given_what_was_sent_and_nothing_that_was_left_out():
    sdk = FakeSdk()
    face = Face(sdk)
    face.answer("POST", "/init", encoded({**INIT.body, "flush_at": 7, "max_retries": None, "more": 1}))
    face.answer("POST", "/get_feature_flag", encoded({"key": "on", "distinct_id": "x", "groups": {}, "disable_geoip": False}))
    assert sdk.started == [{**INIT.body, "flush_at": 7}]
    assert sdk.asked == [{"key": "on", "distinct_id": "x", "groups": {}, "disable_geoip": False}]


def test_a_second_init_and_a_reset_end_the_client_before():
    sdk = FakeSdk()
    face = Face(sdk)
    for path in ("/init", "/init", "/reset", "/reset"):
        face.answer("POST", path, encoded(INIT.body))
    assert (len(sdk.started), sdk.ended) == (2, 2)


def test_an_sdk_that_raises_is_a_500_and_the_adapter_lives_on():
    face = Face(FakeSdk())
    face.answer("POST", "/init", encoded(INIT.body))
    status, answer = face.answer("POST", "/get_feature_flag", encoded({"key": "raises", "distinct_id": "x"}))
    assert (status, answer["success"]) == (500, False)
    assert "KeyError" in answer["error"]
    assert face.answer("POST", "/get_feature_flag", encoded({"key": "on", "distinct_id": "x"}))[1]["value"] is True


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body):
    assert Face(FakeSdk()).answer("POST", "/init", body)[0] == 400


def test_a_batch_that_is_sent_again_is_a_retry_and_its_events_count_once():
    ledger = Ledger(clock=lambda: 12.5)
    for uuids in ((), ("a", "b")):
        for _ in uuids:
            ledger.captured()
    for status in (503, 0, 200):
        ledger.requested(status, ("a", "b"))
    state = ledger.state()
    assert [(one["status_code"], one["retry_attempt"]) for one in state["requests_made"]] == [(503, 0), (0, 1), (200, 2)]
    assert (state["total_retries"], state["total_events_sent"], state["pending_events"]) == (2, 2, 0)
    assert (state["last_error"], state["requests_made"][0]["timestamp_ms"]) == ("no answer", 12_500)
    ledger.clear()
    assert ledger.state() == {**dict.fromkeys(STATE, 0), "requests_made": [], "last_error": None}


def test_events_are_recognised_in_requests_packed_or_not():
    body = json.dumps({"batch": [{"uuid": "a"}, {"uuid": "b"}]}).encode()
    assert batch(body, None) == batch(body.decode(), None) == batch(gzip.compress(body), "gzip") == ["a", "b"]
    assert [batch(other, encoding) for other, encoding in ((b'{"flags":1}', None), (None, None), (b"x", "gzip"))] == [None] * 3


def test_over_http_connections_are_kept_and_a_body_without_end_is_refused_unread():
    listening = server(Face(FakeSdk()), "127.0.0.1", 0)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        connection = HTTPConnection("127.0.0.1", listening.server_port, timeout=60)
        for method, path, body in (("GET", "/health", None), ("POST", "/init?test_id=t-1", encoded(INIT.body))):
            connection.request(method, path, body)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
            json.loads(answer.read())
        connection.putrequest("POST", "/init")
        connection.putheader("Content-Length", str(BODY_BYTES + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
