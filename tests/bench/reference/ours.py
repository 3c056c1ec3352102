"""Our side of the evaluator's benchmark: the same questions as `theirs`, in two modes.

`partial` is a local evaluator's position, the one posthog-python is in: what was not sent is unknown. `complete` is the
server's position. Building the `Context` from the request is part of the cost, as it is on the other side.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from reference.context import Context
from reference.definitions.parse import parse_definitions
from reference.evaluate import compile_definitions
from reference.outcome import Evaluation, Status
from tests.bench.lines import say

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BATCH = 20


class Ours:
    """One compiled program and the persons it is asked about."""

    def load(self, definitions: dict[str, Any], persons: list[dict[str, Any]]) -> dict[str, object]:
        self.program = compile_definitions(parse_definitions(definitions))
        self.persons = persons
        self.turn = itertools.cycle(persons)
        return {"flags": len(definitions["flags"])}

    def values(self, *, complete: bool) -> dict[str, object]:
        """Return each person's values; an outcome without a value stands as its status, so that it can't pass for one."""
        return {"values": [_values(self._evaluate(person, complete=complete)) for person in self.persons]}

    def slice(self, seconds: float, *, complete: bool) -> dict[str, object]:
        """Evaluate all flags for one person after the other until that much CPU time is spent."""
        calls, elapsed, evaluate, turn = 0, 0.0, self._evaluate, self.turn
        started = time.process_time()
        while elapsed < seconds:
            for person in itertools.islice(turn, BATCH):
                evaluate(person, complete=complete)
            calls += BATCH
            elapsed = time.process_time() - started
        return {"calls": calls, "cpu_s": elapsed}

    def _evaluate(self, person: dict[str, Any], *, complete: bool) -> Evaluation:
        context = Context(**person, properties_complete=complete, timezone="UTC")
        return self.program.evaluate(context, now=NOW)


def _values(evaluation: Evaluation) -> dict[str, object]:
    return {
        key: outcome.value if outcome.status is Status.VALUE else f"{outcome.status}: {outcome.why}"
        for key, outcome in evaluation.outcomes.items()
    }


def main() -> None:
    """Answer questions until standard input ends."""
    ours = Ours()
    for line in sys.stdin:
        question = json.loads(line)
        say(getattr(ours, question.pop("op"))(**question))


if __name__ == "__main__":
    main()
