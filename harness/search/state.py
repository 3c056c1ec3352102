"""What a search has found and all it must remember to go on."""

from __future__ import annotations

import msgspec

from harness.subjects.protocol import Verdict

from .cause import Cause, Specimen
from .pools import Level


class Finding(msgspec.Struct):
    """One cause with its smallest reproducer; `count` is how often it was met."""

    cause: Cause
    specimen: Specimen
    base_answer: Verdict | None = None
    subject_answer: Verdict | None = None
    detail: str = ""
    count: int = 1


class State(msgspec.Struct):
    """All a search must remember to go on; `crowded_out` findings had no room and were only counted."""

    seed: int
    level: Level = Level.PLAUSIBLE
    batches: int = 0
    yields: dict[str, float] = msgspec.field(default_factory=dict)
    rough: dict[str, Cause] = msgspec.field(default_factory=dict)
    findings: list[Finding] = msgspec.field(default_factory=list)
    crowded_out: int = 0
