"""The flag service with faults in front (`python -m harness.faults serve`), switched at run time by its control endpoint."""

import json
import re
import sys
import urllib.request
from pathlib import Path

from .process import Child

REFUSE = {"how": "refuse"}
# Keeps the definitions that were true when it was first put on, and plays them never.
FREEZE = {"fault": {"kind": "outdated"}, "endpoint": "definitions", "probability": 0}


def definitions(**fault):
    """Return the rule that plays a fault on every request for definitions."""
    return {"fault": fault, "endpoint": "definitions"}


class Upstream:
    """The service, its port kept while it is down."""

    def __init__(self, file: Path):
        said = {}

        def both(line):
            match = re.match(r"(listening|control) on (http://\S+)", line)
            said.update([match.groups()] if match else [])
            return said if len(said) == 2 else None

        self.child = Child([sys.executable, "-m", "harness.faults", "serve", "--definitions", str(file)], both)
        self.url, self._control = self.child.ready["listening"], self.child.ready["control"]

    def play(self, *rules, **phase):
        """Play these rules from now on, and count afresh."""
        self._ask("PUT", "/phase", {"duration_s": 86_400, "rules": rules, **phase})
        self._ask("DELETE", "/seen")

    def go_down(self):
        """Refuse every connection."""
        self.play(relay=REFUSE)

    def come_back(self):
        """End every fault."""
        self.play()

    def seen(self):
        """What came since counting began: `flags`, `definitions`, and `played`, how many faults by kind."""
        return self._ask("GET", "/")["seen"]

    def stop(self):
        return self.child.stop()

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(self._control + path, method=method, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
