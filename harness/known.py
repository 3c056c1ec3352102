"""Known divergences: differences that are understood, as data, each with who deviates, the evidence and a date to look again.

`known-divergences.toml` beside this file and the files of the folder of that name, one an SDK, hold them. An entry claims
every cause that its predicate matches; a cause that no entry claims is a finding. An entry past its date claims nothing, so
that nothing is forgiven for ever; one that no longer shows on a version it names is reported as vanished.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from .search.cause import Cause

FILE: Final = Path(__file__).with_name("known-divergences.toml")
FOLDER: Final = FILE.with_suffix("")
OURS: Final = (FILE, FOLDER)
"""What is read by default: python and node in the file, each other SDK in a file of its own."""
WARN_AHEAD: Final = timedelta(days=14)


class Mistake(Exception):  # noqa: N818 — the caller's mistake, reported as exit code 2
    """The file is not as it must be; the message names the entry and the remedy."""


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One understood divergence.

    Attributes:
        id: Short name, unique in the file.
        subjects: Exact names, `posthog-node@5.70.0`.
        base: Whom it is seen against; the contract's side.
        kinds, features, filters, properties: The predicate over a cause: shell patterns, any of each list must match. A
            feature matches as a whole, or by the operator's family at its end.
        deviates: Who deviates from the contract: the subject's name, `reference`, or `nobody` where the contract is silent.
        why: One sentence: what is done, what the contract says.
        evidence: Where the rule stands, and the corpus file with the reproducer.
        expires: The day it must be looked at again.
    """

    id: str
    subjects: tuple[str, ...]
    features: tuple[str, ...]
    deviates: str
    why: str
    evidence: str
    expires: date
    base: str = "reference"
    kinds: tuple[str, ...] = ("value",)
    filters: tuple[str, ...] = ("*",)
    properties: tuple[str, ...] = ("*",)

    def claims(self, cause: Cause) -> bool:
        """Tell whether the cause is this one's."""
        return (
            cause.base == self.base
            and cause.subject in self.subjects
            and _any(cause.kind, self.kinds)
            and (_any(cause.feature, self.features) or _any(_innermost(cause.feature), self.features))
            and _any(cause.filter, self.filters)
            and _any(cause.property, self.properties)
        )


class Register:
    """All known divergences, as of one day."""

    def __init__(self, entries: Sequence[Known], today: date) -> None:
        self.entries = tuple(entries)
        self._today = today

    def claimant(self, cause: Cause) -> Known | None:
        """Return the first entry in force that claims the cause."""
        return next((known for known in self.entries if known.expires >= self._today and known.claims(cause)), None)

    def expired(self) -> list[Known]:
        """Entries past their day."""
        return [known for known in self.entries if known.expires < self._today]

    def expiring(self) -> list[Known]:
        """Entries whose day comes within two weeks."""
        return [known for known in self.entries if self._today <= known.expires < self._today + WARN_AHEAD]

    def vanished(self, subjects: Iterable[str], met: Iterable[Cause], replayed: Iterable[Cause]) -> list[tuple[Known, str]]:
        """Return (entry, subject) pairs whose reproducers were replayed and none of whose causes was met.

        Args:
            subjects: Who took part in this run.
            met: Every cause met, replay and search together.
            replayed: The causes of the corpus that were put to the subjects, met or not.
        """
        met, replayed, subjects = set(met), set(replayed), set(subjects)
        return [
            (known, subject)
            for known in self.entries
            for subject in known.subjects
            if subject in subjects
            and any(known.claims(cause) and cause.subject == subject for cause in replayed)
            and not any(known.claims(cause) and cause.subject == subject for cause in met)
        ]


def read(places: Path | Sequence[Path], today: date) -> Register:
    """Read known divergences: files, and folders for every `*.toml` directly in them, all together.

    Raises:
        Mistake: one cannot be read, an entry is not as it must be, or an id stands twice, in whichever files.
    """
    chosen = [places] if isinstance(places, Path) else places
    files = [file for place in chosen for file in (sorted(place.glob("*.toml")) if place.is_dir() else [place])]
    entries = [(file.name, known) for file in files for known in _entries(file)]
    where: dict[str, list[str]] = {}
    for name, known in entries:
        where.setdefault(known.id, []).append(name)
    if twice := {one: names for one, names in where.items() if len(names) > 1}:
        told = "; ".join(f"{one} stands twice ({', '.join(names)})" for one, names in twice.items())
        raise Mistake(f"{told}; give each divergence an id of its own")
    return Register([known for _, known in entries], today)


def _entries(file: Path) -> list[Known]:
    try:
        document: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return msgspec.convert(document.get("divergence", []), list[Known])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as cause:
        raise Mistake(f"{file.name}: {cause}") from cause


def _innermost(feature: str) -> str:
    """Return the operator's family of a feature that also names what is around it: `cohort+negated order` is `order`."""
    return feature.rpartition("+")[2].removeprefix("negated ")


def _any(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
