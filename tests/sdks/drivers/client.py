"""An application that uses posthog-python: carries out one JSON line after the other. Only the host is ours to choose.

Runs in the SDK's own environment. `before_send` shows what the SDK says about a flag, even when nothing can be delivered.
"""

import json
import os
import sys
import threading

from posthog import Posthog

clients = {}
called = []
watched = {}
over = threading.Event()


def remember_flag_called(event):
    if event["event"] == "$feature_flag_called":
        called.append(event["properties"])
    return event


def start(name, host, token, key=None, poll_s=86_400):
    clients[name] = Posthog(token, host=host, secret_key=key, before_send=remember_flag_called, poll_interval=poll_s)
    if key:
        clients[name].load_feature_flags()
    return {}


def arguments(person):
    return {
        "distinct_id": person["distinct_id"],
        "groups": person.get("groups"),
        "person_properties": person.get("person_properties"),
        "group_properties": person.get("group_properties"),
    }


def flags(name, person, local=False):
    answer = clients[name].get_all_flags_and_payloads(**arguments(person), only_evaluate_locally=local)
    return {"flags": answer["featureFlags"], "payloads": answer["featureFlagPayloads"]}


def flag(name, person, key):
    called.clear()
    result = clients[name].get_feature_flag_result(key, **arguments(person))
    return {"value": result and result.get_value(), "error": called[-1].get("$feature_flag_error")}


def capture(name, distinct_id, event):
    clients[name].capture(event, distinct_id=distinct_id, properties={"source": "sdk"})
    clients[name].flush()
    return {}


def poll(name):
    clients[name].load_feature_flags()
    return {"loaded": len(clients[name].feature_flag_definitions() or [])}


def watch(name, person):
    """Evaluate all flags locally, over and over, and remember every answer that was another one than the one before."""
    watched[name] = []

    def look():
        seen = watched[name]
        while not over.wait(0.02):
            answer = flags(name, person, local=True)
            if not seen or seen[-1] != answer:
                seen.append(answer)

    threading.Thread(target=look, daemon=True).start()
    return {}


def seen(name):
    return {"answers": watched[name]}


OPERATIONS = {"start": start, "flags": flags, "flag": flag, "capture": capture, "poll": poll, "watch": watch, "seen": seen}
protocol, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = OPERATIONS[request.pop("op")](**request)
    except Exception as error:  # noqa: BLE001 — the test sees what was raised
        answer = {"raised": repr(error)}
    protocol.write(json.dumps(answer) + "\n")
    protocol.flush()
os._exit(0)
