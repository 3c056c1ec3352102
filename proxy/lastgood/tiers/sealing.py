"""Seals: what stands for a question and a person outside the process, and how an answer is kept from being changed or swapped.

Keys are HMAC-SHA256 under a secret of ours, so that nobody who reads a disk or a Redis can tell, or try out, whose answers lie
there. Values carry an HMAC over key, project, time and content: an answer that was damaged, written by another, or moved to
another question's place is no answer. What was sealed under the previous secret is still read, never written.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName

from .person import person_of
from .record import Purge, Sealed, SealedPurge

FORMAT: Final = 1
"""Of the envelope; one of another format is not read."""

_SHA256: Final = "sha256"
_TAG_BYTES: Final = 32
_HEAD: Final = struct.Struct(">BdHB")  # format, stored at (Unix seconds), status, length of the content type
_LONGEST_TYPE: Final = 255


class Opened(NamedTuple):
    """An envelope that checked: the answer, and when upstream gave it (Unix seconds)."""

    whole: Whole
    stored_at: float


class _Ring(NamedTuple):
    """One secret's keys, one for each use, so that no seal of one kind can pass for another."""

    questions: bytes
    people: bytes
    values: bytes

    def question(self, key: Key) -> bytes:
        return hmac.digest(self.questions, key.material, _SHA256)  # the material begins with the project

    def person(self, project: str, distinct_id: str) -> bytes:
        return hmac.digest(self.people, _named(project) + distinct_id.encode("utf-8", "surrogatepass"), _SHA256)

    def tag(self, place: bytes, project: str, envelope: bytes) -> bytes:
        return hmac.digest(self.values, place + _named(project) + envelope, _SHA256)


class Seals:
    """Seals under one secret; reads under the previous one too."""

    def __init__(self, secret: bytes, previous: bytes | None = None) -> None:
        self._ring = _ring(secret)
        self._rings = (self._ring, *(() if previous is None else (_ring(previous),)))

    def places(self, key: Key) -> tuple[bytes, ...]:
        """Return the keys under which an answer may lie, the present secret's first."""
        return tuple(ring.question(key) for ring in self._rings)

    def seal(self, key: Key, whole: Whole, *, project: ProjectName, stored_at: float, expires_at: float) -> Sealed:
        """Return the record of an answer; its headers are left out."""
        place = self._ring.question(key)
        content_type = whole.content_type.encode()[:_LONGEST_TYPE]
        envelope = _HEAD.pack(FORMAT, stored_at, whole.status, len(content_type)) + content_type + whole.body
        value = self._ring.tag(place, project, envelope) + envelope
        return Sealed(place, project, self._ring.person(project, person_of(key) or ""), stored_at, expires_at, value)

    def open(self, place: bytes, value: bytes, *, project: ProjectName) -> Opened | None:
        """Return what an envelope holds; None unless it was sealed here, for this very place and project."""
        envelope = value[_TAG_BYTES:]
        if len(envelope) < _HEAD.size or not any(
            hmac.compare_digest(value[:_TAG_BYTES], ring.tag(place, project, envelope)) for ring in self._rings
        ):
            return None
        form, stored_at, status, length = _HEAD.unpack_from(envelope)
        if form != FORMAT:
            return None
        body_at = _HEAD.size + length
        return Opened(Whole(status, envelope[_HEAD.size : body_at].decode(), envelope[body_at:]), stored_at)

    def purge(self, purge: Purge, projects: Iterable[str]) -> SealedPurge:
        """Return a purge in the form for tiers; a person is looked for in the one project named, else in these."""
        if purge.distinct_id is None:
            return SealedPurge(purge.project)
        names = projects if purge.project is None else (purge.project,)
        return SealedPurge(
            purge.project, frozenset(ring.person(name, purge.distinct_id) for name in names for ring in self._rings)
        )


def _ring(secret: bytes) -> _Ring:
    return _Ring(*(hmac.digest(secret, b"holdfast last good 1 " + use, _SHA256) for use in (b"question", b"person", b"value")))


def _named(project: str) -> bytes:
    """Return a project's name so that no other text can run on from it."""
    name = project.encode()
    return len(name).to_bytes(2, "big") + name
