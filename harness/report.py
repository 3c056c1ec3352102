"""What a run came to, as text for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from .compare import Kind
from .run import Finding, Result

SHOWN: Final = 3
_COLUMNS: Final[tuple[tuple[str, Callable[[Result], int]], ...]] = (
    ("pairs", lambda result: result.pairs),
    ("decided", lambda result: result.decided),
    ("agree", lambda result: result.kinds[Kind.AGREE]),
    ("it declines", lambda result: result.kinds[Kind.SUBJECT_DECLINES]),
    ("base declines", lambda result: result.kinds[Kind.BASE_DECLINES]),
    ("both decline", lambda result: result.kinds[Kind.BOTH_DECLINE]),
    ("findings", lambda result: result.found),
)


def table(base: str, results: Sequence[Result]) -> str:
    """Return one row per subject; `decided` are the pairs on which both sides were definite."""
    rows = [("subject", "version", *(title for title, _ in _COLUMNS))]
    rows += [(result.subject, result.version, *(f"{column(result)}" for _, column in _COLUMNS)) for result in results]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["  ".join(_aligned(row, widths)) for row in rows]
    return "\n".join([f"compared with {base}", *lines])


def findings(results: Sequence[Result], shown: int = SHOWN) -> str:
    """Return the first findings of every subject, each with what repeats it."""
    blocks = []
    for result in results:
        blocks += [_block(finding) for finding in result.findings[:shown]]
        if result.found > shown:
            kept = "them all" if not result.unkept else f"{len(result.findings)} of them; the others found no room"
            blocks.append(f"… and {result.found - shown} more of {result.subject} (--json FILE has {kept})")
    return "\n\n".join(blocks)


def as_json(base: str, seed: int, results: Sequence[Result]) -> bytes:
    """Return the whole outcome, findings included."""
    subjects: list[dict[str, Any]] = [
        {
            "subject": result.subject, "version": result.version, "pairs": result.pairs, "decided": result.decided,
            "kinds": {kind.value: count for kind, count in result.kinds.items()}, "findings": result.findings,
        }
        for result in results
    ]  # fmt: skip
    return msgspec.json.format(msgspec.json.encode({"base": base, "seed": seed, "subjects": subjects}), indent=1)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    names, figures = len(row) - len(_COLUMNS), zip(row, widths, strict=True)
    return [cell.ljust(width) if n < names else cell.rjust(width) for n, (cell, width) in enumerate(figures)]


def _block(finding: Finding) -> str:
    encoded = msgspec.json.encode
    lines = [f"{finding.subject}: {finding.kind}" + (f" on {finding.flag_key}" if finding.flag_key else "")]
    if finding.detail:
        lines.append(f"  {finding.detail}")
    if finding.flag_key:
        lines.append(f"  base     {encoded(finding.base_answer).decode()}")
        lines.append(f"  subject  {encoded(finding.subject_answer).decode()}")
        lines.append(f"  definitions {encoded(finding.definitions).decode()}")
    if finding.person is not None:
        lines.append(f"  person      {encoded(finding.person).decode()}")
    return "\n".join(lines)
