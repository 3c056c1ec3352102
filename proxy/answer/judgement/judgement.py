"""All that is judged of what upstream says, in one place for the line; it outlives settings and is one worker's own."""

from __future__ import annotations

import msgspec

from proxy.answer.request import ProjectName
from proxy.clock import Clock
from proxy.telemetry.logs import Logger

from .hysteresis import Hysteresis
from .judge import Judge
from .lag import Lag
from .quota import QuotaGrace


class Judgement(msgspec.Struct, frozen=True):
    """The judge of error-free answers, the one of refusals, the grace of projects over quota, and who notices a lag."""

    judge: Judge
    hysteresis: Hysteresis
    quota: QuotaGrace
    lag: Lag

    def revoke(self, project: ProjectName) -> None:
        """Take every refusal of a project's keys for real from now on."""
        self.hysteresis.revoke(project)

    def forget(self, project: ProjectName | None = None) -> None:
        """Forget what was learnt of the flags of a project, or of all: after a purge there is nothing to compare with."""
        self.judge.forget(project)


def judgement(*, clock: Clock, log: Logger | None = None) -> Judgement:
    """Return a judgement that knows nothing yet; what it decides is said in `log`."""
    judge = Judge(clock=clock, log=log)
    return Judgement(
        judge=judge,
        hysteresis=Hysteresis(clock=clock, log=log),
        quota=QuotaGrace(clock=clock, log=log),
        lag=Lag(judge.findings, clock=clock, log=log),
    )
