"""Shrunk counter-examples as files, `NN-topic.json`, one topic a feature; replayed before anything new is looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from .hunt import Finding

FOLDER: Final = Path(__file__).resolve().parent.parent / "corpus"


class Topic(msgspec.Struct):
    """The content of one file."""

    topic: str
    findings: list[Finding]


def read(folder: Path) -> list[Finding]:
    """Return all findings kept in a folder, in the order of its files; a folder that is not there holds none.

    Raises:
        msgspec.DecodeError: a file is not of this format.
    """
    files = sorted(folder.glob("[0-9][0-9]-*.json"))
    return [finding for file in files for finding in msgspec.json.decode(file.read_bytes(), type=Topic).findings]


def keep(folder: Path, findings: Sequence[Finding]) -> list[Path]:
    """Write findings into the files of their topics, beside those kept before; return the files written.

    A finding replaces an earlier one of the same cause.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {finding.cause: finding for finding in (*read(folder), *findings)}
    by_topic: dict[str, list[Finding]] = {}
    for cause in sorted(kept):
        by_topic.setdefault(topic(kept[cause]), []).append(kept[cause])
    names = {file.name[3:-5]: file for file in folder.glob("[0-9][0-9]-*.json")}
    written = []
    for name in sorted(by_topic):
        file = names.setdefault(name, folder / f"{len(names) + 1:02}-{name}.json")
        text = msgspec.json.format(msgspec.json.encode(Topic(name, by_topic[name])), indent=1) + b"\n"
        if not file.exists() or file.read_bytes() != text:
            file.write_bytes(text)
            written.append(file)
    return written


def topic(finding: Finding) -> str:
    """Return the name of the file a finding belongs in: its feature's first part; all cohorts are one topic."""
    if finding.cause.feature.startswith(("cohort", "unknown cohort")):
        return "cohort"
    feature = finding.cause.feature.removeprefix("negated ").partition("+")[0].partition(",")[0]
    return re.sub(r"[^a-z]+", "-", feature.lower()).strip("-") or "other"
