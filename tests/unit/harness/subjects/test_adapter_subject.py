"""An adapter of PostHog's sdk-test-harness as a subject: what it is asked, and what its answers count for."""

import pytest

from harness.compare import Kind, compare
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.drivers.sdk_adapter import Driver
from harness.subjects.protocol import Status, Verdict

HEALTH = {"sdk_name": "posthog-x", "sdk_version": "1.2", "adapter_version": "1"}


class FakeService:
    """A flag service that takes everything."""

    address, token = "http://service", "phc_load_1"

    def load(self, request):
        self.served = request["definitions"]
        return {"ok": True}


class FakeAdapter:
    """An adapter with an answer for every path; remembers what it was asked."""

    def __init__(self, health=(200, HEALTH), **answers):
        self.answers = {"/health": health, "/init": (200, {"success": True}), "/reset": (200, {"success": True})}
        self.answers |= {"/" + name: answer for name, answer in answers.items()}
        self.asked = []

    def ask(self, method, path, body=None):
        self.asked.append((method, path, body))
        return self.answers[path]


def loaded(**answers):
    driver = Driver(FakeAdapter(**answers), FakeService())
    driver.load({"definitions": {"flags": [{"key": "a", "evaluation_runtime": "client"}, {"key": "b"}]}})
    return driver


def test_it_names_the_sdk_and_its_version_and_is_a_server_for_the_comparison():
    said = Driver(FakeAdapter(), FakeService()).describe({})
    assert (said["version"], said["capabilities"]) == ("posthog-x 1.2", ["server_evaluation", "device_id"])


@pytest.mark.parametrize("health", [(500, {}), (200, {}), (200, {"sdk_name": "x"})])
def test_an_adapter_without_the_required_health_is_refused(health):
    with pytest.raises(RuntimeError, match="sdk_name"):
        Driver(FakeAdapter(health=health), FakeService()).describe({})


def test_every_document_is_a_reset_and_an_init_with_the_documents_own_token():
    driver = loaded()
    assert driver.adapter.asked == [
        ("POST", "/reset", {}),
        ("POST", "/init", {"api_key": "phc_load_1", "host": "http://service"}),
    ]


def test_flags_of_one_runtime_are_served_to_all_for_the_sdk_is_either():
    assert loaded().service.served["flags"] == [{"key": "a", "evaluation_runtime": "all"}, {"key": "b"}]


def test_a_refused_init_is_an_error_of_the_subject():
    with pytest.raises(RuntimeError, match="POST /init: status 500"):
        loaded(init=(500, {"error": "no"}))


def test_a_person_is_asked_about_in_the_contracts_fields_and_remotely():
    driver = loaded(get_feature_flag=(200, {"success": True, "value": "red"}))
    person = {"distinct_id": "x", "person_properties": {"p": 1}, "groups": {"g": "1"}, "device_id": "d"}
    said = driver.evaluate({"context": person, "flag_keys": ["b"]})
    assert said == {"flags": {"b": {"status": "value", "value": "red", "value_only": True}}}
    assert driver.adapter.asked[-1][2] == {
        "key": "b", "distinct_id": "x", "person_properties": {"p": 1, "$device_id": "d"}, "groups": {"g": "1"},
        "disable_geoip": True, "force_remote": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "status"),
    [((200, {"success": True, "value": None}), "nothing"), ((200, {"success": False}), "failed"), ((500, {}), "failed")],
)
def test_no_value_and_an_error_are_two_answers(answer, status):
    said = loaded(get_feature_flag=answer).evaluate({"context": {"distinct_id": "x"}})
    assert said == {"flags": {"a": {"status": status}, "b": {"status": status}}}


@pytest.mark.parametrize("identity", ["", 7, None])
def test_somebody_whom_the_contract_cannot_name_is_not_asked_about(identity):
    driver = loaded()
    assert driver.evaluate({"context": {"distinct_id": identity}})["flags"]["a"] == {"status": "inconclusive"}
    assert len(driver.adapter.asked) == 2


VALUE, NOTHING = Verdict(Status.VALUE, value=True, payload="1"), Verdict(Status.NOTHING)


@pytest.mark.parametrize(
    ("base", "subject", "kind"),
    [
        (VALUE, Verdict(Status.VALUE, value=True, value_only=True), Kind.AGREE),
        (VALUE, Verdict(Status.VALUE, value=False, value_only=True), Kind.VALUE),
        (VALUE, Verdict(Status.VALUE, value=True), Kind.PAYLOAD),
        (VALUE, NOTHING, Kind.PRESENCE),
        (NOTHING, VALUE, Kind.PRESENCE),
        (NOTHING, NOTHING, Kind.AGREE),
        (None, NOTHING, Kind.AGREE),
        (Verdict(Status.INCONCLUSIVE), NOTHING, Kind.BOTH_DECLINE),
        (Verdict(Status.FAILED), NOTHING, Kind.BOTH_DECLINE),
        (None, Verdict(Status.INCONCLUSIVE), Kind.PRESENCE),
        (None, Verdict(Status.VALUE, value=False, value_only=True), Kind.PRESENCE),
    ],
)
def test_no_value_agrees_with_everything_but_a_value_and_who_tells_no_payload_is_held_to_none(base, subject, kind):
    assert compare(base, subject) is kind


@pytest.mark.parametrize("name", ["adapter+", "adapter+127.0.0.1:80", "adapter+ftp://x", "adapter+http://"])
def test_what_is_no_url_is_no_adapter(name, tmp_path):
    with pytest.raises(UnknownSubject, match="no adapter"):
        find(name, tmp_path)


def test_an_adapter_keeps_its_url_as_its_name(tmp_path):
    launch = find("adapter+http://127.0.0.1:80", tmp_path)
    assert (launch.name, launch.command[-1]) == ("adapter+http://127.0.0.1:80", "http://127.0.0.1:80")
