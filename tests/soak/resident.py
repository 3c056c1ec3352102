"""What a process keeps in memory, sampled over time, and whether it goes on growing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
BUDGET_BYTES = 64 * MIB
ALLOWED_BYTES = BUDGET_BYTES * 5 // 4
SLOPE_BYTES_PER_MIN = MIB


def resident_bytes(pid: int | str) -> int:
    """Return a process's resident set."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watched:
    """Samples of one process: seconds since the beginning, and bytes above idle."""

    idle_bytes: int
    samples: list[tuple[float, int]] = field(default_factory=list)

    def add(self, at_s: float, resident: int) -> None:
        self.samples.append((at_s, resident - self.idle_bytes))

    @property
    def peak_bytes(self) -> int:
        return max(above for _, above in self.samples)

    def slope_bytes_per_min(self) -> float:
        """Return the slope of the straight line through the last half of the samples (least squares)."""
        half = self.samples[len(self.samples) // 2 :]
        times = [at for at, _ in half]
        middle_t = sum(times) / len(half)
        middle_b = sum(above for _, above in half) / len(half)
        spread = sum((at - middle_t) ** 2 for at in times)
        return 60 * sum((at - middle_t) * (above - middle_b) for at, above in half) / spread

    def told(self) -> str:
        """Say the figures in one line."""
        return (
            f"idle {self.idle_bytes / MIB:.1f} MiB, peak +{self.peak_bytes / MIB:.1f} MiB "
            f"= {self.peak_bytes / BUDGET_BYTES:.3f} × budget, at the end +{self.samples[-1][1] / MIB:.1f} MiB, "
            f"slope of the last half {self.slope_bytes_per_min() / MIB:+.2f} MiB/min over {self.samples[-1][0]:.0f} s"
        )
