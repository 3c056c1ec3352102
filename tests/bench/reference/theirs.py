"""posthog-python's side of the benchmark; runs inside the SDK's own environment, with nothing of ours but this file.

JSON lines: `load` takes definitions and persons, `values` answers what every person gets, `slice` evaluates all flags for
one person after the other and answers how many evaluations its CPU time bought.
"""

from __future__ import annotations

import itertools
import json
import logging
import sys
import time
from typing import Any

import posthog  # type: ignore[import-not-found]  # stands in the SDK's environment only

logging.disable(logging.CRITICAL)


class Theirs:
    """A client that never talks to anyone, holding definitions in memory."""

    def __init__(self) -> None:
        self.client = posthog.Posthog(
            "phc_bench", host="http://127.0.0.1:1", sync_mode=True, send=False, disable_geoip=True, personal_api_key=None
        )

    def load(self, definitions: dict[str, Any], persons: list[dict[str, Any]]) -> dict[str, Any]:
        self.client.feature_flags = definitions["flags"]
        self.client.group_type_mapping = definitions["group_type_mapping"]
        self.client.cohorts = definitions["cohorts"]
        self.persons = persons
        self.turn = itertools.cycle(persons)
        return {"version": posthog.VERSION}

    def values(self) -> dict[str, Any]:
        return {"values": [self._evaluate(person) for person in self.persons]}

    def slice(self, seconds: float) -> dict[str, Any]:
        calls, elapsed, evaluate, turn = 0, 0.0, self._evaluate, self.turn
        started = time.process_time()
        while (elapsed := time.process_time() - started) < seconds:
            for person in itertools.islice(turn, 20):
                evaluate(person)
            calls += 20
        return {"calls": calls, "cpu_s": elapsed}

    def _evaluate(self, person: dict[str, Any]) -> Any:
        return self.client.get_all_flags(
            person["distinct_id"],
            groups=person["groups"],
            person_properties=person["person_properties"],
            group_properties=person["group_properties"],
            only_evaluate_locally=True,
        )


def main() -> None:
    """Answer questions until standard input ends."""
    theirs = Theirs()
    for line in sys.stdin:
        question = json.loads(line)
        answer = getattr(theirs, question.pop("op"))(**question)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
