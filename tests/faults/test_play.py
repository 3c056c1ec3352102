"""The orchestrator of the slow lane, once and short: its processes start, its load arrives, its checks check, it ends."""

from __future__ import annotations

import os

import msgspec
import pytest

from harness.faults.catalogue import SCENARIOS
from harness.scenarios.__main__ import main
from harness.scenarios.play.figures import figures
from harness.scenarios.play.script import Plan, Script
from harness.scenarios.play.truth import Truth, truth_for

SHORT = Plan(rate=100.0, warm_s=3.0, fault_s=3.0, after_s=30.0, workers=1)
SOON = {"POLICY__FRESH_S": "1", "BREAKER__OPEN_S": "0.1", "BREAKER__OPEN_MAX_S": "0.2", "BREAKER__RAMP_S": "0"}


async def test_a_refusing_service_fails_no_known_key_and_no_answer_is_wrong() -> None:
    before = os.sched_getaffinity(0)
    history = await Script(SCENARIOS["connection-refused"], SHORT, settings=SOON).play()
    truth = await truth_for(sorted({shot.user for shot in history.shots}))
    found = figures(history, truth)
    assert os.sched_getaffinity(0) == before
    assert found.known > 100
    assert (found.known_failed, found.wrong) == (0, [])
    assert found.strangers_failed > 0, "nobody had an answer for them"
    assert found.trip_s is not None
    assert [change.version for change in history.changes] == [0, 1, 2, 3, 4]
    assert history.shots[-1].is_normal
    unchanging = Truth({key: truth._values[0, key[1]] for key in truth._values})
    assert figures(history, unchanging).wrong, "definitions did change, and answers with them"
    assert msgspec.structs.replace(found, wrong=[]).checked > 400


def test_a_scenario_that_no_relay_can_play_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "dns-failure", "no-such"]) == 2
    assert "dns-failure, no-such" in capsys.readouterr().err
