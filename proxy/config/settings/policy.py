"""How a project's answers are made."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from .section import Count, PositiveSeconds, Ratio, Seconds, Section

RUNGS: Final = frozenset({"stale", "local", "configured"})
"""What `Policy.rungs` may name; the ladder has one entry for each."""

LONGEST_EXCHANGE_S: Final = 10.0
"""Who retires an upstream waits for its last exchange that long."""


FlagKey = Annotated[str, Meta(min_length=1, max_length=400)]
Failing = Literal["fail-static", "fail-open", "fail-closed", "fixed-value"]


class FlagPolicy(Section, frozen=True):
    """What becomes of one flag when upstream cannot say, and for how long an answer that has it may stand in.

    What each word of `failure` means is a table (`proxy/answer/partial/failing.py`); `stale` and `local` override its row.

    Attributes:
        failure: fail-static: a remembered or a local value; fail-open: true; fail-closed: false; fixed-value: `value`.
        value: With fixed-value: a boolean, or the key of a variant.
        stale: Whether a remembered value may answer first; None: as the table says.
        local: Whether the definitions held may answer first; None: as the table says.
        fresh_s: An answer that has this flag is fresh no longer than this; one that has only such flags may be for so long.
        stale_if_error_s: How old a remembered value of this flag may be; None: as for the others.
    """

    failure: Failing = "fail-static"
    value: bool | str | None = None
    stale: bool | None = None
    local: bool | None = None
    fresh_s: Seconds | None = None
    stale_if_error_s: Seconds | None = None


class Policy(Section, frozen=True):
    """How one project's answers are made.

    Attributes:
        fresh_s: A remembered answer younger than this is given without asking upstream; 0: always ask.
        stale_while_revalidate_s: For so long after that it is given all the same, while upstream is asked in the background.
        stale_if_error_s: How old a remembered answer may be when upstream fails.
        mark_stale: Set `errorsWhileComputingFlags` in answers made after a failure, so that events carry the mark.
        deadline_at_hand_s: Longest wait for upstream by who has a complete answer at hand.
        deadline_s: Longest wait for upstream, inside the SDKs' 3 s.
        exchange_s: How long an exchange may go on after its callers were answered from elsewhere; what it brings is remembered.
            It never ends before `deadline_s`.
        rungs: What is tried after a failure, in this order.
        judge_ratio: An error-free answer that lacks more than this share of the flags remembered …
        judge_flags: … and at least so many is held back …
        judge_confirmations: … until such answers were confirmed so often …
        judge_hold_s: … over this time; then it is believed.
        hysteresis_s: How long a 401, 402 or 403 for a key that worked is held back where no other key tells that it is real.
        quota_grace_s: How long answers that say `quotaLimited` are held back after the first; 0: they are handed on at once.
        flags: What is different for single flags, by key.
    """

    fresh_s: Seconds = 0.0
    stale_while_revalidate_s: Seconds = 0.0
    stale_if_error_s: Seconds = 86_400.0
    mark_stale: bool = True
    deadline_at_hand_s: Annotated[float, Meta(gt=0, le=2.8)] = 1.0
    deadline_s: Annotated[float, Meta(gt=0, le=2.8)] = 2.5
    exchange_s: Annotated[float, Meta(gt=0, le=LONGEST_EXCHANGE_S)] = 5.0
    rungs: tuple[str, ...] = ("stale", "local", "configured")
    judge_ratio: Ratio = 0.3
    judge_flags: Count = 5
    judge_confirmations: Annotated[int, Meta(ge=1, le=100)] = 3
    judge_hold_s: PositiveSeconds = 60.0
    hysteresis_s: Annotated[float, Meta(ge=0, le=900)] = 900.0
    quota_grace_s: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    flags: dict[FlagKey, FlagPolicy] = msgspec.field(default_factory=dict)

    @property
    def stale_s(self) -> float:
        """Longest time for which a remembered answer, or any flag of it, may answer when upstream fails."""
        own = [flag.stale_if_error_s for flag in self.flags.values() if flag.stale_if_error_s is not None]
        return max([self.stale_if_error_s, *own])

    @property
    def usable_s(self) -> float:
        """How long an answer is worth remembering."""
        if not self.flags:
            return max(self.stale_if_error_s, self.fresh_s + self.stale_while_revalidate_s)
        own = [flag.fresh_s for flag in self.flags.values() if flag.fresh_s is not None]
        return max([self.stale_s, max([self.fresh_s, *own]) + self.stale_while_revalidate_s])
