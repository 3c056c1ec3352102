"""A scripted subject: answers by the protocol, and misbehaves on the person whose id says how."""

import json
import os
import sys

TRUE = {"status": "value", "value": True}
loaded = {}

MISDEEDS = {
    "crash": lambda: os._exit(7),
    "hang": sys.stdin.buffer.raw.readall,
    "garbage": lambda: None,
    "greedy": lambda: {"flags": {}, "name": str(len(bytearray(4 << 30)))},
    "liar": lambda: {"id": -1, "flags": {}},
    "wrong": lambda: {"flags": {**loaded, next(iter(loaded)): {"status": "value", "value": "wrong"}}},
}


def describe(_):
    return {"name": "scripted", "version": "1.0", "capabilities": []}


def load(request):
    if request["definitions"].get("deadly"):
        os._exit(9)
    loaded.clear()
    loaded.update({flag["key"]: TRUE for flag in request["definitions"]["flags"]})
    return {"ok": True}


def evaluate(request):
    return MISDEEDS.get(request["context"]["distinct_id"], lambda: {"flags": loaded})()


for line in sys.stdin:
    request = json.loads(line)
    answer = {"describe": describe, "load": load, "evaluate": evaluate}[request["op"]](request)
    sys.stdout.write("garbage\n" if answer is None else json.dumps({"id": request["id"], **answer}) + "\n")
    sys.stdout.flush()
