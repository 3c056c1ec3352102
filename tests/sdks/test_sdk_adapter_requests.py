"""What posthog-python sends when PostHog's harness drives it through our adapter: the adapter adds nothing and loses nothing.

The cases follow contracts/feature_flags_tests.yaml of PostHog/posthog-sdk-test-harness: request fields, request counts, retries
after 502 and 504 only, and the exposure event. It also asks for `v=2`, which posthog-python 7.91.1 gave up for `v=4`, and
once asked for the identity among the person properties, where this SDK does not repeat it.
"""

import http.client
import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.sdks.lanes import LANES

SDK = "posthog-python@7.91.1"
VALUES = {"flags": {"signup-aa-test": {"key": "signup-aa-test", "enabled": True, "variant": "test"}}}


class Mock(BaseHTTPRequestHandler):
    """Plays PostHog: records what comes, answers with the statuses it was given and then with 200."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = "flags" if self.path.startswith("/flags") else "events"
        getattr(self.server, kind).append(body)
        status = self.server.statuses.pop(0) if kind == "flags" and self.server.statuses else 200
        text = json.dumps(VALUES if kind == "flags" else {}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served(installed):
    installed(SDK)
    command = [sys.executable, "-m", "harness", "adapter", "--sdk", SDK, "--port", "0", "--lanes", str(LANES)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    connection = http.client.HTTPConnection(process.stdout.readline().split()[-1].removeprefix("http://"), timeout=60)
    yield connection
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()


@pytest.fixture
def mock():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mock)
    server.flags, server.events, server.statuses = [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def act(served, mock):
    """Return a function that carries one action out; the adapter is initialized for the mock."""

    def carry_out(path, **body):
        served.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = served.getresponse()
        answer = json.loads(response.read())
        assert (response.status, answer["success"]) == (200, True), answer
        return answer

    carry_out("/init", api_key="phc_test_key", host=f"http://127.0.0.1:{mock.server_port}")
    yield carry_out
    carry_out("/reset")


ASKED = {"key": "signup-aa-test", "distinct_id": "test_user_123"}


def test_every_field_of_the_action_is_in_the_request(act, mock):
    sent = {"groups": {"company": "acme"}, "group_properties": {"company": {"plan": "x"}}, "disable_geoip": True}
    answer = act("/get_feature_flag", **ASKED, person_properties={"$device_id": "device_abc_123"}, force_remote=True, **sent)
    [body] = mock.flags
    assert answer["value"] == "test"
    assert body["api_key"] == "phc_test_key"
    assert (body["distinct_id"], body["person_properties"]) == ("test_user_123", {"$device_id": "device_abc_123"})
    assert (body["groups"], body["geoip_disable"], body["flag_keys_to_evaluate"]) == (sent["groups"], True, ["signup-aa-test"])
    assert body["group_properties"]["company"]["plan"] == "x"


def test_empty_groups_stay_empty_and_location_is_looked_up_unless_told_otherwise(act, mock):
    act("/get_feature_flag", **ASKED, groups={}, group_properties={})
    [body] = mock.flags
    assert (body["groups"], body["group_properties"], body["geoip_disable"]) == ({}, {}, False)


def test_init_and_reset_ask_nothing_and_two_calls_are_two_requests(act, mock):
    assert mock.flags == []
    for _ in range(2):
        act("/get_feature_flag", **ASKED, force_remote=True)
    assert len(mock.flags) == 2


@pytest.mark.parametrize(("status", "requests", "value"), [(502, 2, "test"), (504, 2, "test"), (500, 1, None), (429, 1, None)])
def test_only_502_and_504_are_asked_again(act, mock, status, requests, value):
    mock.statuses.append(status)
    assert act("/get_feature_flag", **ASKED)["value"] == value
    assert len(mock.flags) == requests


def test_the_exposure_is_an_event_once_it_is_flushed(act, mock):
    act("/get_feature_flag", **ASKED)
    assert act("/flush")["events_flushed"] == 1
    [event] = [event for batch in mock.events for event in batch["batch"]]
    assert (event["event"], event["distinct_id"]) == ("$feature_flag_called", "test_user_123")
    properties = event["properties"]
    assert (properties["$feature_flag"], properties["$feature_flag_response"]) == ("signup-aa-test", "test")


def test_what_was_pending_at_a_reset_is_never_sent(act, mock):
    act("/capture", distinct_id="x", event="before")
    act("/reset")
    act("/init", api_key="phc_test_key", host=f"http://127.0.0.1:{mock.server_port}")
    act("/capture", distinct_id="x", event="after")
    assert act("/flush")["events_flushed"] == 1
    assert [event["event"] for batch in mock.events for event in batch["batch"]] == ["after"]
