"""What an operator has switched off, or to pure relay, for a project right now; one look a request, every default on."""

from __future__ import annotations

from typing import Final

import msgspec

from .request import ProjectName


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """The switches in force for one request.

    Attributes:
        bypass: Pure relay: nothing of the line is asked.
        observe: Decide and record as ever, but give what a pure relay would give.
        merge: Fill failed records of a partial answer.
        judge: Hold back a 200 that is not believable.
        hysteresis: Hold back a surprising 401, 402 or 403.
        race: Answer from another source when upstream is late.
        retry: Send a second try where the budget allows it.
    """

    bypass: bool = False
    observe: bool = False
    merge: bool = True
    judge: bool = True
    hysteresis: bool = True
    race: bool = True
    retry: bool = True


NORMAL: Final = Mode()


class Switches:
    """The mode of every project; a project that nobody switched runs as normal."""

    def of(self, project: ProjectName) -> Mode:  # noqa: ARG002
        """Return the mode in force."""
        return NORMAL
