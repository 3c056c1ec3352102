"""The reference with one planted fault: reads the line protocol, spoils the definitions, and lets the reference answer.

`python faulty.py FAULT`. A fault in the document looks from outside like a fault in the evaluator that reads it.
"""

import json
import math
import subprocess
import sys


def every_condition(change):
    def spoil(document):
        for flag in document["flags"]:
            for condition in flag["filters"]["groups"]:
                change(condition)

    return spoil


def every_leaf(change):
    def visit(members):
        for member in members:
            visit(member["values"]) if "values" in member else change(member)

    def spoil(document):
        for flag in document["flags"]:
            for condition in flag["filters"]["groups"]:
                visit(condition["properties"])
        visit(document["cohorts"].values())

    return spoil


def every_variant(change):
    def spoil(document):
        for flag in document["flags"]:
            for variant in (flag["filters"]["multivariate"] or {"variants": []})["variants"]:
                change(variant)

    return spoil


def swap(mapping):
    return lambda leaf: leaf.update(operator=mapping.get(leaf["operator"], leaf["operator"]))


def edge_out(condition):
    if condition["rollout_percentage"]:
        condition["rollout_percentage"] = math.nextafter(condition["rollout_percentage"], 0)


def lower_pieces(leaf):
    if leaf["operator"] == "icontains" and leaf["value"] != leaf["value"].lower():
        leaf["value"] += "\x00"


def flip(document):
    for tree in document["cohorts"].values():
        tree["type"] = {"AND": "OR", "OR": "AND"}[tree["type"]]


def swap_groups(document):
    document["group_type_mapping"] = {"0": "project", "1": "organization"}


def forget_payloads(document):
    for flag in document["flags"]:
        flag["filters"]["payloads"].pop("variant-1", None)


FAULTS = {
    "the rollout edge is out by one bit": every_condition(edge_out),
    "gt is taken for gte": every_leaf(swap({"gt": "gte"})),
    "lte is taken for lt": every_leaf(swap({"lte": "lt"})),
    "icontains minds case": every_leaf(lower_pieces),
    "negation is dropped": every_leaf(lambda leaf: leaf.pop("negation", None)),
    "not_in is taken for in": every_leaf(swap({"not_in": "in"})),
    "AND and OR are swapped in cohorts": flip,
    "group types are swapped": swap_groups,
    "a variant's weight is out by a hundredth": every_variant(
        lambda variant: variant.update(rollout_percentage=variant["rollout_percentage"] * 0.99)
    ),
    "variant pins are ignored": every_condition(lambda condition: condition.pop("variant", None)),
    "a payload is lost": forget_payloads,
}


def main(fault):
    reference = subprocess.Popen([sys.executable, "-m", "reference", "jsonlines"], stdin=subprocess.PIPE, text=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "load":
            FAULTS[fault](request["definitions"])
        print(json.dumps(request), file=reference.stdin, flush=True)
    reference.stdin.close()
    return reference.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
