"""The whole error-handling matrix, played again: every SDK, every fault, every way. An SDK that cannot be had is a failure."""

import pytest

from harness.matrix.cells import load
from harness.matrix.command import DATA
from harness.matrix.play.programme import still_different
from harness.matrix.subjects import SUBJECTS, command
from harness.matrix.trials import ON_DEFINITIONS, ON_FLAGS
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES


@pytest.mark.timeout(1740)
async def test_the_whole_matrix_is_still_as_written_down():
    for name in SUBJECTS:
        ensure(ALL[name])
    commands = {name: command(name, LANES) for name in SUBJECTS}
    found = await still_different(load(DATA).tables, commands, ON_FLAGS, ON_DEFINITIONS, progress=print)
    assert found == [], "if the SDKs changed, run: flags-harness matrix --write docs/error-handling.md"
