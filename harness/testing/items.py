"""The tests that the switches add: one for a search, one for every kept reproducer and subject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.search.corpus import FOLDER
from harness.search.state import Finding
from harness.subjects.child import UnusableSubject

from .checks import FlagsHarness, launches, registered, told
from .plugin import MARK, REPLAY, option
from .replay import Replay, reproducers


def added(session: pytest.Session) -> Iterator[pytest.Item]:
    """Yield what the command line asks for; the same on every worker of a spread run."""
    config = session.config
    base, *others = (name.strip() for name in option(config, "holdfast_subjects").split(","))
    if option(config, "holdfast"):
        yield Search.of(session, f"search[{','.join(others)}]", base=base, others=others)
    if option(config, "holdfast_corpus"):
        folder = option(config, "holdfast_corpus_folder") or FOLDER
        for subject in others:
            for number, finding in enumerate(reproducers(folder, base, subject), start=1):
                name = f"corpus[{subject}-{number:03}-{finding.cause.kind} {finding.cause.feature}]"
                yield Reproducer.of(session, name, subject=subject, finding=finding)


class Added(pytest.Item):
    """A test of ours among the user's."""

    @classmethod
    def of(cls, session: pytest.Session, name: str, **more: object) -> pytest.Item:
        """Return a test named `holdfast::…`, with the mark."""
        item: pytest.Item = cls.from_parent(session, name=name, nodeid=f"holdfast::{name}", **more)
        item.add_marker(MARK)
        return item

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say what failed where there is no line of code to show."""
        return Path("holdfast"), None, self.name


class Search(Added):
    """No divergence that is not known."""

    def __init__(self, *, base: str, others: list[str], **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self._base, self._others = base, others

    def runtest(self) -> None:
        """Search as the options say."""
        FlagsHarness(self).agree(self._base, *self._others)


class Reproducer(Added):
    """One kept reproducer, put to one subject."""

    def __init__(self, *, subject: str, finding: Finding, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self._subject, self._finding = subject, finding

    def runtest(self) -> None:
        """Ask the subject, which all of these tests share."""
        replay = self.config.stash.get(REPLAY, None) or self._started()
        try:
            unexplained = replay.unexplained(self._subject, self._finding)
        except UnusableSubject as reason:
            pytest.fail(str(reason), pytrace=False)
        for finding in unexplained:
            self.user_properties.append(("flags-harness.finding", str(finding.cause)))
        if unexplained:
            pytest.fail("\n\n".join(told(finding) for finding in unexplained), pytrace=False)

    def _started(self) -> Replay:
        config = self.config
        names = option(config, "holdfast_subjects").split(",")
        subjects = launches(names, option(config, "holdfast_lanes"), option(config, "holdfast_zone"))
        self.config.stash[REPLAY] = Replay(subjects, registered(option(config, "holdfast_known")))
        return self.config.stash[REPLAY]
