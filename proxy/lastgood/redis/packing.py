"""What a record is in Redis: a name that says nothing, and a value that begins with what a purge needs to know. Pure.

The head is not authenticated and not believed for anything but purging: what answers is the sealed rest.
"""

from __future__ import annotations

from typing import Final

from proxy.lastgood.tiers.record import Sealed, SealedPurge

FORMAT: Final = b"\x01"
HEAD_BYTES: Final = 1 + 32 + 1 + 255
"""At most: format, person, length of the project's name, the name."""

_PERSON: Final = slice(1, 33)
_LENGTH_AT: Final = 33


def name_of(prefix: str, place: bytes) -> str:
    """Return the key under which a record lies."""
    return f"{prefix}:answer:{place.hex()}"


def pattern_of(prefix: str) -> str:
    """Return what matches the names of all records; a prefix has no wildcards."""
    return f"{prefix}:answer:*"


def pack(record: Sealed) -> bytes:
    """Return a record's value."""
    project = record.project.encode()[:255]
    return FORMAT + record.person + bytes([len(project)]) + project + record.value


def unpack(content: bytes) -> bytes | None:
    """Return the sealed value; None when it is not of this format."""
    if content[:1] != FORMAT or len(content) <= _LENGTH_AT:
        return None
    return content[_LENGTH_AT + 1 + content[_LENGTH_AT] :]


def is_meant(head: bytes, purge: SealedPurge) -> bool:
    """Tell whether a purge means the record that begins like this; one of another format is meant by all of them."""
    if head[:1] != FORMAT or len(head) <= _LENGTH_AT:
        return True
    if purge.people is not None:
        return head[_PERSON] in purge.people
    project = head[_LENGTH_AT + 1 : _LENGTH_AT + 1 + head[_LENGTH_AT]]
    return purge.project is None or project == purge.project.encode()
