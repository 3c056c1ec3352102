"""A search that is killed: its state is a whole file at any moment, and the next run goes on from there."""

import os
import signal
import subprocess
import sys
import time

import msgspec

from harness.__main__ import AGREE, main
from harness.search.state import State

LIMIT_S = 60


def test_a_killed_search_goes_on_where_its_state_says(tmp_path):
    state = tmp_path / "state"
    asked = ["run", "--subjects", "reference,reference", "--seconds", "500", "--seed", "7", "--quiet"]
    places = ["--corpus", str(tmp_path / "none"), "--state", str(state)]
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *asked, *places], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + LIMIT_S
        while not state.exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    left = msgspec.json.decode(state.read_bytes(), type=State)
    assert (left.seed, left.batches > 0) == (7, True)
    further = left.batches + 3
    assert main([*asked, *places, "--seed", "8", "--batches", str(further)]) == AGREE
    gone_on = msgspec.json.decode(state.read_bytes(), type=State)
    assert (gone_on.seed, gone_on.batches) == (7, further)
