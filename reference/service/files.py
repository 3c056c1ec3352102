"""Reads the definitions file from disk and adds the keys named on the command line to its first project."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from .project.file import KeyRow, ProjectFile, read_file
from .project.project import Catalogue, build_project


class Grants(NamedTuple):
    """Tokens and keys given on the command line."""

    tokens: tuple[str, ...] = ()
    personal_keys: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()


def load_path(path: Path, grants: Grants) -> Catalogue:
    """Load a definitions file.

    Raises:
        DefinitionsFileError: The file cannot be used.
        OSError: It cannot be read.
    """
    first, *others = read_file(path.read_bytes())
    return Catalogue([build_project(file) for file in (_granted(first, grants), *others)])


def _granted(file: ProjectFile, grants: Grants) -> ProjectFile:
    section = msgspec.structs.replace(
        file.section,
        tokens=[*file.section.tokens, *grants.tokens],
        personal_keys={**file.section.personal_keys, **dict.fromkeys(grants.personal_keys, KeyRow())},
        secret_keys=[*file.section.secret_keys, *grants.secret_keys],
    )
    return msgspec.structs.replace(file, section=section)
