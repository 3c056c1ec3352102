"""Waiting for a condition, never for a time."""

import time

PATIENCE_S = 60
PAUSE_S = 0.05


def until(look, what):
    """Call `look` until it returns something true, and return that; fail with `what` was awaited after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(PAUSE_S)
    return seen
