"""What PostHog's sdk-test-harness contract requires of an adapter, as our own cases, each with its source.

Sources are files of PostHog/posthog-sdk-test-harness: CONTRACT (CONTRACT.yaml), ACTIONS (contracts/adapter_actions.yaml), GUIDE
(ADAPTER_GUIDE.md) and CLIENT (its own client of adapters, sdk_adapter/client.py).
The cases run against the adapter's face with a fake SDK, and over HTTP against the real one.
"""

from typing import Any, NamedTuple

Shape = dict[str, Any]


class Step(NamedTuple):
    """One request; `answer` maps a field to its value, or to the type that it must have. `{host}` is the flag service."""

    method: str
    path: str
    body: Any
    answer: Shape
    status: int = 200


class Case(NamedTuple):
    name: str
    source: str
    steps: tuple[Step, ...]


INIT = Step("POST", "/init", {"api_key": "phc_test_key", "host": "{host}"}, {"success": True})
ASK = {"key": "on", "distinct_id": "user"}


def init(**more: Any) -> Step:
    return Step("POST", "/init", {**INIT.body, **more}, {"success": True})


def ask(value: Any, **more: Any) -> Step:
    return Step("POST", "/get_feature_flag", {**ASK, **more}, {"success": True, "value": value})


def refused(path: str, body: Any, status: int = 400) -> Step:
    return Step("POST", path, body, {"error": str}, status)


STATE = {
    "pending_events": int, "total_events_captured": int, "total_events_sent": int, "total_retries": int, "requests_made": list,
}  # fmt: skip

CASES = (
    Case("health names the SDK, its version and the adapter's, before any init", "CONTRACT health: required", (
        Step("GET", "/health", None, {"sdk_name": str, "sdk_version": str, "adapter_version": str}),
    )),
    Case("health says which suites may run", "GUIDE capabilities; CLIENT health()", (
        Step("GET", "/health", None, {"capabilities": list, "supports_parallel": False}),
    )),
    Case("init needs a key and a host only", "CONTRACT init: required [api_key, host]", (INIT,)),
    Case("init takes every documented option", "CONTRACT init: properties", (
        init(flush_at=1, flush_interval_ms=100, max_retries=0, enable_compression=True),
    )),
    Case("init without a key is refused", "CONTRACT init: required", (refused("/init", {"host": "{host}"}),)),
    Case("init without a host is refused", "CONTRACT init: required", (refused("/init", {"api_key": "phc_test_key"}),)),
    Case("init again starts anew", "ACTIONS init, run by every test's first step", (INIT, ask(True), INIT, ask(True))),
    Case("an option of another type is refused", "CONTRACT init: flush_at integer", (
        refused("/init", {**INIT.body, "flush_at": "1"}), refused("/init", {**INIT.body, "flush_at": True}),
    )),
    Case("a flag needs a key", "ACTIONS get_feature_flag: key required", (
        INIT, refused("/get_feature_flag", {"distinct_id": "user"}),
    )),
    Case("a flag needs somebody", "ACTIONS get_feature_flag: distinct_id required", (
        INIT, refused("/get_feature_flag", {"key": "on"}), refused("/get_feature_flag", {"key": "on", "distinct_id": ""}),
    )),
    Case("a flag needs an init", "GUIDE POST /init comes first", (refused("/get_feature_flag", ASK),)),
    Case("a boolean flag is a boolean", "GUIDE get_feature_flag: response", (INIT, ask(True), ask(False, key="off"))),
    Case("a variant is its key", "GUIDE get_feature_flag: response", (INIT, ask("red", key="colour"))),
    Case("a flag that is not there has no value", "GUIDE get_feature_flag: response", (INIT, ask(None, key="absent"))),
    Case("everything optional may be sent", "ACTIONS get_feature_flag: params", (
        INIT,
        ask(
            True, person_properties={"email": "user@example.com"}, groups={"company": "acme"},
            group_properties={"company": {"plan": "enterprise"}}, disable_geoip=True, force_remote=True,
        ),
    )),
    Case("person properties reach the service", "ACTIONS get_feature_flag: person_properties", (
        INIT, ask(True, key="pro", person_properties={"plan": "pro"}),
        ask(False, key="pro", person_properties={"plan": "free"}),
    )),
    Case("groups and their properties reach the service", "ACTIONS get_feature_flag: groups, group_properties", (
        INIT,
        ask(True, key="company", groups={"company": "acme"}, group_properties={"company": {"plan": "pro"}}),
        ask(False, key="company", groups={"company": "acme"}, group_properties={"company": {"plan": "free"}}),
    )),
    Case("null counts as left out", "GUIDE: omit optional params; CLIENT sends nulls in capture", (
        INIT, ask(True, person_properties=None, groups=None),
    )),
    Case("properties of another type are refused", "ACTIONS get_feature_flag: object", (
        INIT, refused("/get_feature_flag", {**ASK, "person_properties": ["plan"]}),
    )),
    Case("what the contract does not name is let through", "the contract grows: 1.0 to 1.2 added fields", (
        INIT, ask(True, something_new=1),
    )),
    Case("capture returns the event's UUID", "CONTRACT capture: required [success, uuid]", (
        INIT, Step("POST", "/capture", {"distinct_id": "user", "event": "e", "properties": None, "timestamp": None},
                   {"success": True, "uuid": str}),
    )),
    Case("capture takes properties and a time", "CONTRACT capture: timestamp iso8601", (
        INIT, Step("POST", "/capture", {"distinct_id": "user", "event": "e", "properties": {"a": 1},
                                        "timestamp": "2024-01-01T12:00:00Z"}, {"success": True, "uuid": str}),
    )),
    Case("capture needs an event and somebody", "CONTRACT capture: required", (
        INIT, refused("/capture", {"distinct_id": "user"}), refused("/capture", {"event": "e"}),
    )),
    Case("flush sends what is pending and says how much", "CONTRACT flush: required [success, events_flushed]", (
        INIT,
        Step("POST", "/capture", {"distinct_id": "user", "event": "e"}, {"success": True}),
        Step("GET", "/state", None, {**STATE, "pending_events": 1, "total_events_captured": 1, "total_events_sent": 0}),
        Step("POST", "/flush", None, {"success": True, "events_flushed": 1}),
        Step("GET", "/state", None, {**STATE, "pending_events": 0, "total_events_sent": 1, "total_retries": 0}),
    )),
    Case("state has every required figure from the start", "CONTRACT state: required", (Step("GET", "/state", None, STATE),)),
    Case("reset works at any time and twice", "CONTRACT reset; CLIENT posts no body", (
        Step("POST", "/reset", None, {"success": True}), INIT,
        Step("POST", "/reset", None, {"success": True}), Step("POST", "/reset", None, {"success": True}),
    )),
    Case("reset clears what is pending and ends the client", "GUIDE reset: clear all pending events", (
        INIT,
        Step("POST", "/capture", {"distinct_id": "user", "event": "e"}, {"success": True}),
        Step("POST", "/reset", None, {"success": True}),
        Step("GET", "/state", None, {**STATE, "pending_events": 0, "total_events_captured": 0, "requests_made": []}),
        refused("/get_feature_flag", ASK),
    )),
    Case("an action that does not exist is not found", "CONTRACT adapter_interface: the list", (refused("/guess", {}, 404),)),
    Case("an action by another method is refused", "CONTRACT adapter_interface: method", (
        Step("GET", "/init", None, {"error": str}, 405), refused("/health", {}, 405),
    )),
)  # fmt: skip

DEFINITIONS = {
    "flags": [
        {"id": 1, "key": "on", "active": True, "filters": {"groups": [{"properties": [], "rollout_percentage": 100}]}},
        {"id": 2, "key": "off", "active": True, "filters": {"groups": [{"properties": [], "rollout_percentage": 0}]}},
        {"id": 3, "key": "pro", "active": True, "filters": {"groups": [{"rollout_percentage": 100, "properties": [
            {"key": "plan", "type": "person", "value": "pro", "operator": "exact"}]}]}},
        {"id": 4, "key": "company", "active": True, "filters": {"aggregation_group_type_index": 0, "groups": [
            {"rollout_percentage": 100, "properties": [
                {"key": "plan", "type": "group", "group_type_index": 0, "value": "pro", "operator": "exact"}]}]}},
        {"id": 5, "key": "colour", "active": True, "filters": {
            "groups": [{"properties": [], "rollout_percentage": 100}],
            "multivariate": {"variants": [{"key": "red", "rollout_percentage": 100}]}}},
    ],
    "group_type_mapping": {"0": "company"},
    "cohorts": {},
    "service": {"tokens": ["phc_test_key"]},
}  # fmt: skip
"""What the flag service behind a real adapter must hold for the cases to come true."""


def fits(answer: Any, shape: Shape) -> list[str]:
    """Return the fields that are not as the shape says."""
    return [
        f"{name}: {answer.get(name)!r}"
        for name, wanted in shape.items()
        if name not in answer or not (type(answer[name]) is wanted if isinstance(wanted, type) else answer[name] == wanted)
    ]
