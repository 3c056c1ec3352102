"""What a test asks for: that subjects agree, apart from what is known; a failure that explains itself.

Every finding becomes a section of the test's report and a property in the JUnit file. A subject that is not there fails the
test, with the remedy: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from harness import known as register
from harness.reports.outcome import Outcome
from harness.reports.texts import reproducer
from harness.reports.triage import entry
from harness.search.command import ANSWER_S
from harness.search.corpus import FOLDER
from harness.search.pools import Level
from harness.search.session import Plan, search, today
from harness.search.state import Finding, State
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import Launch, UnusableSubject

from .plugin import option

SHOWN: Final = 5
"""Findings told in full in the failure itself; the sections have them all."""
Places = Path | str | Sequence[Path | str]


class FlagsHarness:
    """The fixture. What a call leaves out, the command line's options say."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def agree(  # noqa: PLR0913 — the options of `flags-harness run`, each by its name
        self,
        base: str,
        *others: str,
        seconds: float | None = None,
        batches: int | None = None,
        seed: int | None = None,
        level: str | None = None,
        zone: str | None = None,
        known: Places | None = None,
        corpus: Path | str | None = None,
        lanes: Path | str | None = None,
    ) -> Outcome:
        """Fail the test unless the others answer as the base does, apart from what is known.

        Args:
            base: The subject that the others are held against, mostly `reference`.
            others: `posthog-python@7.91.1`, `service`, `adapter+http://127.0.0.1:8080`, …
            seconds: For the corpus and the search together (default 30).
            batches: Stop after this many: the same questions on every machine.
            seed: The same seed asks the same questions.
            level: `plausible` or `hostile`.
            zone: Host time zone of all subjects, an IANA name.
            known: Files and folders of known divergences; an empty sequence: nothing is known. Default: those Holdfast keeps.
            corpus: The folder whose reproducers are put first. Default: Holdfast's own.
            lanes: Where the SDKs are installed.

        Returns:
            What the search came to, for further questions.
        """
        given: dict[str, Any] = {"seconds": seconds, "batches": batches, "seed": seed, "level": level, "zone": zone}
        asked = {
            name: option(self._item.config, f"holdfast_{name}") if value is None else value for name, value in given.items()
        }
        folder = corpus or option(self._item.config, "holdfast_corpus_folder") or FOLDER
        plan = Plan(
            launches=launches((base, *others), Path(lanes or option(self._item.config, "holdfast_lanes")), asked["zone"]),
            seconds=asked["seconds"],
            batches=asked["batches"],
            state=State(seed=asked["seed"], level=Level(asked["level"])),
            corpus=Path(folder),
            register=registered(option(self._item.config, "holdfast_known") if known is None else known),
            zone=asked["zone"],
        )
        return self._judged(carried_out(plan))

    def _judged(self, outcome: Outcome) -> Outcome:
        note = self._item.user_properties.append
        for one in outcome.took:
            note(("flags-harness.subject", f"{one.name} at {one.version}"))
        for finding in outcome.new:
            note(("flags-harness.finding", str(finding.cause)))
            self._item.add_report_section("call", f"divergence: {finding.cause}", told(finding))
        for seen in outcome.seen:
            note(("flags-harness.known", f"{seen.known.id} {seen.finding.cause.subject}"))
        if not outcome.is_good:
            pytest.fail(explained(outcome), pytrace=False)
        return outcome


def launches(names: Sequence[str], lanes: Path, zone: str) -> tuple[Launch, ...]:
    """Return how the subjects are started; fail the test where one cannot be."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # A process with a zone that is none would silently be in UTC.
        pytest.fail(f"{zone!r} is no time zone: one IANA name", pytrace=False)
    try:
        found = [find(name.strip(), lanes) for name in names]
    except (UnknownSubject, UnusableSubject) as reason:
        pytest.fail(str(reason), pytrace=False)
    return tuple(msgspec.structs.replace(launch, zone=zone, answer_s=ANSWER_S) for launch in found)


def registered(places: Places | None) -> register.Register:
    """Return what is known; fail the test where a file is not as it must be."""
    if places is None:
        chosen: Sequence[Path] = register.OURS
    else:
        chosen = [Path(one) for one in ((places,) if isinstance(places, Path | str) else places)]
    try:
        return register.read(chosen, today())
    except register.Mistake as mistake:
        pytest.fail(f"known divergences: {mistake}", pytrace=False)


def carried_out(plan: Plan) -> Outcome:
    """Search, in a loop of its own."""
    try:
        return asyncio.run(search(plan, time.monotonic))
    except (UnusableSubject, msgspec.DecodeError) as reason:
        pytest.fail(str(reason), pytrace=False)


def explained(outcome: Outcome) -> str:
    """Return why the test fails: each finding with its smallest reproducer, and what to do about it."""
    lines = [f"{len(outcome.new)} divergences that nobody knows"] if outcome.new else []
    lines += [line for finding in outcome.new[:SHOWN] for line in ("", told(finding))]
    if len(outcome.new) > SHOWN:
        lines += ["", f"… and {len(outcome.new) - SHOWN} more, in the report's sections"]
    lines += [f"known divergence {known.id} was to be looked at again by {known.expires}" for known in outcome.expired]
    return "\n".join([*lines, "", f"repeat: {outcome.repeat()}"])


def told(finding: Finding) -> str:
    """Return one finding in full, with the entry that would make it known."""
    return "\n".join(
        [*reproducer(finding), "  once understood, to be entered as:", *(f"    {line}" for line in entry(finding))]
    )
