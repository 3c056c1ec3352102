"""One set of definitions as it is kept: the upstream's document, unmodified, with what is known about it, and its file form.

The file form is one checksum over everything after it, so that any change of any byte, and any missing or added one, is
found. What does not check is refused with a reason; it is never repaired.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from reference.definitions.model import Definitions
from reference.definitions.parse import parse_definitions

_MAGIC: Final = b"holdfast definitions 1\n"
_DIGEST_BYTES: Final = 64
_HEAD_BYTES: Final = len(_MAGIC) + _DIGEST_BYTES + 1


class DefinitionsSet(msgspec.Struct, frozen=True):
    """One set. Make it with `definitions_set`, which fills in the digest.

    Attributes:
        project: Its project's name in the configuration.
        generation: Grows with every accepted set of a project, also across lost disks: the Unix second in which it was
            accepted, or one more than its predecessor's. 0: not accepted yet.
        etag: The upstream's `ETag`, as it sent it (`W/"…"`); None: it sent none.
        body: The upstream's document, byte by byte.
        fetched_at_wall: When it was fetched, Unix seconds.
        digest: SHA-256 of the body, hexadecimal: equal digests, equal documents.
    """

    project: str
    generation: int
    etag: str | None
    body: bytes
    fetched_at_wall: float
    digest: str

    def __repr__(self) -> str:
        return f"DefinitionsSet({self.project!r}, generation={self.generation}, digest={self.digest[:12]!r})"


class Unreadable(msgspec.Struct, frozen=True):
    """Why something is no set."""

    reason: str


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    project: str
    generation: int
    etag: str | None
    fetched_at_wall: float
    digest: str


def definitions_set(
    project: str, body: bytes, *, etag: str | None, fetched_at_wall: float, generation: int = 0
) -> DefinitionsSet:
    """Make a set from an upstream's answer. Whether it may be used is for `admission` to say."""
    return DefinitionsSet(project, generation, etag, body, fetched_at_wall, hashlib.sha256(body).hexdigest())


def encode_set(kept: DefinitionsSet) -> bytes:
    """Return the file form: a line that names the format, the checksum of the rest, a line of JSON, the body."""
    head = _Head(kept.project, kept.generation, kept.etag, kept.fetched_at_wall, kept.digest)
    rest = msgspec.json.encode(head) + b"\n" + kept.body
    return _MAGIC + _checksum(rest) + b"\n" + rest


def decode_set(content: bytes) -> DefinitionsSet | Unreadable:
    """Read the file form; whatever is not exactly what `encode_set` wrote is unreadable, with the reason."""
    if not is_set(content):
        return Unreadable("not a definitions file of this format")
    rest = content[_HEAD_BYTES:]
    if content[len(_MAGIC) : _HEAD_BYTES] != _checksum(rest) + b"\n":
        return Unreadable("the checksum does not match")
    line, _, body = rest.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError:
        return Unreadable("its head is not understood here")
    return DefinitionsSet(head.project, head.generation, head.etag, body, head.fetched_at_wall, head.digest)


def is_set(content: bytes) -> bool:
    """Tell whether bytes claim to be the file form."""
    return content.startswith(_MAGIC)


def parsed(kept: DefinitionsSet) -> Definitions:
    """Parse the document.

    Raises:
        DefinitionsError: It is unusable as a whole; never the case for a set that was accepted.
    """
    return parse_definitions(kept.body)


def _checksum(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest().encode()
