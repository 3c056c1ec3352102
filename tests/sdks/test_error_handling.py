"""A sample of the error-handling matrix, played again: what is written down is what the SDKs still do.

The whole is played by `make slow`. What differs is played again before it is believed: a machine that stalls is no finding.
"""

import pytest

from harness.matrix.cells import load
from harness.matrix.command import DATA
from harness.matrix.play.programme import still_different
from harness.matrix.subjects import SUBJECTS, command
from harness.matrix.trials import ON_DEFINITIONS, ON_FLAGS
from tools.sdks.lanes import ALL, LANES, Kind

SAMPLE = [name for name in SUBJECTS if ALL[name].kind in {Kind.PYTHON, Kind.NODE}]
FLAGS = [trial for trial in ON_FLAGS if trial.id == "failed"]
DEFINITIONS = [trial for trial in ON_DEFINITIONS if trial.id == "402"]


@pytest.mark.timeout(420)
async def test_a_sample_of_the_matrix_is_still_as_written_down(installed):
    for name in SAMPLE:
        installed(name)
    commands = {name: command(name, LANES) for name in SAMPLE}
    found = await still_different(load(DATA).tables, commands, FLAGS, DEFINITIONS, progress=print)
    assert found == [], "if the SDKs changed, run: flags-harness matrix --write docs/error-handling.md"
