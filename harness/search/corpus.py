"""Shrunk counter-examples as files, `<sdk>/NN-topic.json`, one topic a feature; replayed before anything new is looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from .state import Finding

FOLDER: Final = Path(__file__).resolve().parent.parent / "corpus"
_NAMES: Final = "[0-9][0-9]-*.json"


class Topic(msgspec.Struct):
    """The content of one file."""

    topic: str
    findings: list[Finding]


def read(folder: Path) -> list[Finding]:
    """Return all findings kept in a folder and the folders in it, in the order of their names; no folder holds none.

    Raises:
        msgspec.DecodeError: a file is not of this format.
    """
    files = sorted(folder.glob(f"**/{_NAMES}"))
    return [finding for file in files for finding in msgspec.json.decode(file.read_bytes(), type=Topic).findings]


def keep(folder: Path, findings: Sequence[Finding]) -> list[Path]:
    """Write findings into the files of their subject and topic, beside those kept before; return the files written.

    A finding replaces an earlier one of the same cause. The files of subjects without a new finding are not touched.
    """
    written: list[Path] = []
    for name in sorted({_sdk(finding) for finding in findings}):
        written += _keep(folder / name, [finding for finding in findings if _sdk(finding) == name])
    return written


def _keep(folder: Path, findings: Sequence[Finding]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    kept = {finding.cause: finding for finding in (*read(folder), *findings)}
    by_topic: dict[str, list[Finding]] = {}
    for cause in sorted(kept):
        by_topic.setdefault(topic(kept[cause]), []).append(kept[cause])
    names = {file.name[3:-5]: file for file in folder.glob(_NAMES)}
    written = []
    for name in sorted(by_topic):
        file = names.setdefault(name, folder / f"{len(names) + 1:02}-{name}.json")
        text = msgspec.json.format(msgspec.json.encode(Topic(name, by_topic[name])), indent=1) + b"\n"
        if not file.exists() or file.read_bytes() != text:
            file.write_bytes(text)
            written.append(file)
    return written


def _sdk(finding: Finding) -> str:
    """Return the folder of a finding: its subject without the version, fit for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", finding.cause.subject.partition("@")[0].lower()).strip("-") or "other"


def topic(finding: Finding) -> str:
    """Return the name of the file a finding belongs in: its feature's first part; all cohorts are one topic."""
    if finding.cause.feature.startswith(("cohort", "unknown cohort")):
        return "cohort"
    feature = finding.cause.feature.removeprefix("negated ").partition("+")[0].partition(",")[0]
    return re.sub(r"[^a-z]+", "-", feature.lower()).strip("-") or "other"
