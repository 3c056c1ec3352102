"""The form in which an answer leaves the process, and what a purge names. Nothing in a record can be read back to a request.

A record's key and person are HMACs; its value is authenticated (`sealing` says how). The project is the operator's own name for
it, which is no secret.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Sealed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One remembered answer, as tiers hold it.

    Attributes:
        key: 256-bit HMAC of project and question.
        project: Configured name, for purging.
        person: 256-bit HMAC of project and `distinct_id`, for purging; of no id where the question has none.
        stored_at: When upstream said so, Unix seconds.
        expires_at: From when on no policy can use it, Unix seconds.
        value: The authenticated envelope.
    """

    key: bytes
    project: str
    person: bytes
    stored_at: float
    expires_at: float
    value: bytes

    @property
    def cost_bytes(self) -> int:
        """What it takes, roughly, wherever it is held."""
        return len(self.value) + RECORD_BYTES


RECORD_BYTES: Final = 256
"""What a record costs beside its value: two HMACs, a name, two numbers."""


class Purge(msgspec.Struct, frozen=True, tag="purge"):
    """What is to be forgotten: everything, a project, a person in one project, or a person in every project.

    Also the message that says so, supervisor → worker. Never to be logged: it may name a person.
    """

    project: str | None = None
    distinct_id: str | None = None


class SealedPurge(msgspec.Struct, frozen=True):
    """The same for a tier: `project` None: every project; `people` None: everybody, else only these HMACs."""

    project: str | None = None
    people: frozenset[bytes] | None = None

    def is_meant(self, record: Sealed) -> bool:
        """Tell whether a record is to be forgotten."""
        if self.people is not None:
            return record.person in self.people
        return self.project is None or record.project == self.project
