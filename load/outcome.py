"""What a run came to: the record that the Locust child writes, and its text."""

from __future__ import annotations

import msgspec

PERCENTILES = (50.0, 95.0, 99.0, 99.9)
BUSY = 0.8


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run, measured from the intended send times.

    Attributes:
        requests: Requests sent, the failed ones included.
        failures: What went wrong, with how often: a status that is not 200, or the name of an error.
        latency_ms: Percentile → milliseconds, of all requests.
        took_s: From the first intended instant to the last answer.
        generator_cpu: Share of one core that the generator itself took; near 1 it measures itself.
    """

    requests: int
    failures: dict[str, int]
    latency_ms: dict[float, float]
    took_s: float
    generator_cpu: float

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(self.failures.values())


def text(outcome: Outcome) -> str:
    """Return the run in a few lines."""
    lines = [
        f"requests  {outcome.requests} in {outcome.took_s:.1f} s ({outcome.requests / max(outcome.took_s, 0.001):.1f}/s)",
        f"failures  {outcome.failed}" + "".join(f"\n  {count} × {what}" for what, count in sorted(outcome.failures.items())),
        "latency   " + "  ".join(f"p{name:g} {value:.1f} ms" for name, value in outcome.latency_ms.items()),
    ]
    if outcome.generator_cpu > BUSY:
        lines.append(
            f"warning: the generator was busy for {outcome.generator_cpu:.0%} of the time and may have measured itself"
        )
    return "\n".join(lines)
