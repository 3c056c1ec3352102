"""How a project's definitions stand: what is in use, what waits, what was refused; and how that is shown to operators.

What is shown names flags and says counts, and has nothing of any person.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from proxy.definitions.admission import Reason
from proxy.definitions.document import DefinitionsSet
from reference.definitions.model import Definitions

SHOWN_DIGITS = 12


class Current(msgspec.Struct, frozen=True):
    """The set in use.

    Attributes:
        kept: The set.
        definitions: Its parsed form.
        path: Its file; None: no disk has it (yet).
        is_provisional: It came from the boot source and upstream has sent nothing since.
    """

    kept: DefinitionsSet
    definitions: Definitions
    path: Path | None = None
    is_provisional: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A set that is held back, and in how many polls it was seen."""

    candidate: DefinitionsSet
    definitions: Definitions
    reason: Reason
    polls: int


class Turned(msgspec.Struct, frozen=True):
    """A set that was refused, when (Unix seconds) and why."""

    candidate: DefinitionsSet
    reason: Reason
    at_wall: float


def shown(
    current: Current | None, waiting: Waiting | None, turned: Sequence[Turned], *, on_disk: Sequence[int]
) -> dict[str, Any]:
    """Return the three as plain data, refused ones newest first, and which generations can be rolled back to."""
    return {
        "held": None if current is None else _current(current),
        "waiting": None if waiting is None else {**_candidate(waiting.candidate, waiting.reason), "polls": waiting.polls},
        "refused": [{**_candidate(each.candidate, each.reason), "at": each.at_wall} for each in reversed(turned)],
        "generations": list(on_disk),
    }


def _current(current: Current) -> dict[str, Any]:
    kept = current.kept
    return {
        "generation": kept.generation,
        "digest": kept.digest[:SHOWN_DIGITS],
        "flags": len(current.definitions.flags),
        "fetched_at": kept.fetched_at_wall,
        "is_on_disk": current.path is not None,
        "is_provisional": current.is_provisional,
    }


def _candidate(candidate: DefinitionsSet, reason: Reason) -> dict[str, Any]:
    return {"digest": candidate.digest[:SHOWN_DIGITS], "reason": reason.code, "detail": reason.detail}
