"""The definitions and people of the SDK tests: small, with something of everything that a wrong header or key would change."""

import json
from pathlib import Path

TOKEN = "phc_sdk_tests"
PERSONAL_KEY = "phx_sdk_tests"
SWITCH = "outage-switch"


def flag(number, key, groups, **extra):
    filters = {"groups": groups, "payloads": extra.pop("payloads", {}), "multivariate": None, **extra.pop("filters", {})}
    fixed = {"id": number, "key": key, "name": key, "version": 1, "active": True, "deleted": False}
    return {**fixed, "ensure_experience_continuity": False, "filters": filters, **extra}


def everyone(rollout=100):
    return {"properties": [], "rollout_percentage": rollout}


def those_who(key, operator, value, **extra):
    return {
        "properties": [{"key": key, "type": "person", "operator": operator, "value": value, **extra}],
        "rollout_percentage": 100,
    }


VARIANTS = [{"key": key, "rollout_percentage": weight} for key, weight in (("control", 50), ("compact", 25), ("spacious", 25))]
ORGANIZATION = {"key": "seats", "type": "group", "group_type_index": 0, "operator": "gt", "value": 10}


def definitions(switch_payload):
    """Return the document; the payload of one flag tells which edition it is."""
    flags = [
        flag(1, "beta-search", [everyone(50)], payloads={"true": '{"limit":10}'}),
        flag(
            2,
            "checkout-layout",
            [everyone()],
            filters={"multivariate": {"variants": VARIANTS}},
            payloads={"compact": '"dense"'},
        ),
        flag(3, "plan-gate", [those_who("plan", "exact", ["pro"])]),
        flag(
            4,
            "org-dashboard",
            [{"properties": [ORGANIZATION], "rollout_percentage": 100}],
            filters={"aggregation_group_type_index": 0},
        ),
        flag(5, "in-europe", [those_who("id", "in", 7, type="cohort")]),
        flag(6, "server-only", [everyone()], evaluation_runtime="server"),
        flag(7, "browser-only", [everyone()], evaluation_runtime="client"),
        flag(8, "stored-country", [those_who("country", "exact", ["AT"])]),
        flag(9, SWITCH, [everyone()], payloads={"true": json.dumps(switch_payload)}),
        flag(10, "switched-off", [everyone()], active=False),
    ]
    europe = {"type": "OR", "values": [{"key": "region", "type": "person", "operator": "icontains", "value": "europe"}]}
    service = {
        "tokens": [TOKEN],
        "personal_keys": {PERSONAL_KEY: {}},
        "persons": [{"distinct_ids": ["ada"], "properties": {"country": "AT"}}],
    }
    return {"flags": flags, "group_type_mapping": {"0": "organization"}, "cohorts": {"7": europe}, "service": service}


def write(path: Path, switch_payload):
    path.write_text(json.dumps(definitions(switch_payload)))


ADA = {
    "distinct_id": "ada",
    "person_properties": {"plan": "pro", "region": "Western Europe"},
    "groups": {"organization": "org-9"},
    "group_properties": {"organization": {"seats": 25}},
}
BOB = {"distinct_id": "bob", "person_properties": {"plan": "free", "region": "Asia"}}
PEOPLE = (ADA, BOB)
