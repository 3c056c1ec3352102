"""What happens when: phases one after the other, compressible, and the seeded chance that rules draw from."""

from __future__ import annotations

from random import Random
from typing import Annotated

import msgspec
from msgspec import Meta

from .fault import PASS, Endpoint, RelayFault, Rule


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of time with the same faults.

    Attributes:
        duration_s: How long it lasts.
        rules: Semantic faults; the first rule that is about a request and whose chance comes up is played.
        relay: What the network does.
        is_resolvable: False: the service's name does not resolve.
    """

    duration_s: Annotated[float, Meta(gt=0)]
    rules: tuple[Rule, ...] = ()
    relay: RelayFault = PASS
    is_resolvable: bool = True

    @property
    def is_calm(self) -> bool:
        """Nothing goes wrong in it."""
        return not self.rules and self.relay == PASS and self.is_resolvable


def compressed(phases: tuple[Phase, ...], factor: float) -> tuple[Phase, ...]:
    """Make phases shorter by a factor (> 0); the delays inside faults stay, because callers' timeouts stay."""
    return tuple(msgspec.structs.replace(phase, duration_s=phase.duration_s / factor) for phase in phases)


def phase_at(phases: tuple[Phase, ...], elapsed_s: float) -> Phase | None:
    """Tell which phase it is after so many seconds; None once all are over."""
    for phase in phases:
        if elapsed_s < phase.duration_s:
            return phase
        elapsed_s -= phase.duration_s
    return None


class Chance:
    """Draws rules: the same seed and the same order of requests give the same faults."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - repeatable on purpose

    def draw(self, rules: tuple[Rule, ...], endpoint: Endpoint) -> Rule | None:
        """Return the rule to play for a request; None for the true answer."""
        for rule in rules:
            if rule.endpoint in (endpoint, Endpoint.ALL) and self._rng.random() < rule.probability:
                return rule
        return None

    def around(self, middle_s: float, jitter_s: float) -> float:
        """Draw a delay within `jitter_s` of the middle, never negative."""
        return max(0.0, middle_s + jitter_s * (2 * self._rng.random() - 1))
