"""Whom a question is about, and so what a purge of a person means. Read from the question's key, which holds its whole body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from proxy.answer.request import Key, ProjectName

from .record import Purge

Meant: TypeAlias = Callable[[Key, ProjectName], bool]


class _Asked(msgspec.Struct):
    distinct_id: Any = None


_read: Final = msgspec.json.Decoder(tuple[msgspec.Raw, _Asked]).decode


def person_of(key: Key) -> str | None:
    """Return the `distinct_id` that a question is about, a number as its text; None when it names none."""
    found = _read(key.material)[1].distinct_id
    return None if found is None else str(found)


def meant_by(purge: Purge) -> Meant:
    """Return whether a purge means the answer to a question of a project."""
    wanted = purge.distinct_id
    spelt = b"" if wanted is None else msgspec.json.encode(wanted)[1:-1]  # reading every key would take 20 times as long

    def is_meant(key: Key, project: ProjectName) -> bool:
        if purge.project is not None and purge.project != project:
            return False
        return wanted is None or (spelt in key.material and person_of(key) == wanted)

    return is_meant
