"""Plays trials one after the other, and collects the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack

from harness.matrix.cells import Table
from harness.matrix.compare import differences
from harness.matrix.trials import Trial

from . import local, remote
from .application import Application


async def play(
    commands: Mapping[str, Sequence[str]],
    on_flags: Iterable[Trial],
    on_definitions: Iterable[Trial],
    *,
    progress: Callable[[str], None],
) -> dict[str, Table]:
    """Play trials.

    Args:
        commands: How the application of each subject is started.
        on_flags: Trials of applications that ask the service.
        on_definitions: Trials of applications that evaluate locally.
        progress: Told each trial before it is played.
    """
    tables: dict[str, Table] = {}
    async with AsyncExitStack() as stack:
        applications = {name: await stack.enter_async_context(Application(command)) for name, command in commands.items()}
        for way, trials in ((remote.play, on_flags), (local.play, on_definitions)):
            for trial in trials:
                progress(f"{trial.id}: {trial.does}")
                for table, row in (await way(trial, applications)).items():
                    tables.setdefault(table, {})[trial.id] = row
    return tables


async def still_different(
    before: dict[str, Table],
    commands: Mapping[str, Sequence[str]],
    on_flags: Iterable[Trial],
    on_definitions: Iterable[Trial],
    *,
    progress: Callable[[str], None],
    plays: int = 3,
) -> list[str]:
    """Play trials and compare with what was written down; what differs is played again: a machine that stalls is no finding.

    Returns:
        A line for each cell of a trial that differed in every play.
    """
    found: list[str] = []
    for left in reversed(range(plays)):
        try:
            tables = await play(commands, on_flags, on_definitions, progress=progress)
        except RuntimeError:  # it could not begin: somebody was not there in time
            if not left:
                raise
            continue
        found = differences(before, tables)
        on_flags = [trial for trial in on_flags if _differs(before, tables, trial, is_local=False)]
        on_definitions = [trial for trial in on_definitions if _differs(before, tables, trial, is_local=True)]
        if not found:
            break
    return found


def _differs(before: dict[str, Table], tables: dict[str, Table], trial: Trial, *, is_local: bool) -> bool:
    of_trial = {
        name: {trial.id: table[trial.id]}
        for name, table in tables.items()
        if trial.id in table and (name in local.TABLES) is is_local
    }
    return bool(differences(before, of_trial))
