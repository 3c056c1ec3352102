"""An application with an SDK in it, as a child process that does what it is told, one JSON line at a time."""

import json
import os
import subprocess
from pathlib import Path

from tools.sdks.chromium import find_or_install
from tools.sdks.lanes import ALL, Kind

DRIVERS = Path(__file__).resolve().parent.parent / "drivers"


class Driver:
    """`driver.do("flags", name=…)` returns the application's answer."""

    def __init__(self, lane_name):
        self.process = subprocess.Popen(
            command_of(lane_name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", "TZ": "UTC"},
        )

    def do(self, operation, **arguments):
        print(json.dumps({"op": operation, **arguments}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, f"the application ended with {self.process.wait()}"
        answer = json.loads(line)
        assert "raised" not in answer, answer["raised"]
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def command_of(lane_name):
    lane = ALL[lane_name]
    if lane.kind is Kind.PYTHON:
        return [str(lane.home / "bin" / "python"), "-I", str(DRIVERS / "client.py")]
    if lane.kind is Kind.NODE:
        return ["node", str(DRIVERS / "client.js"), str(lane.home)]
    return ["node", str(DRIVERS / "browser.js"), str(lane.home), find_or_install()]
