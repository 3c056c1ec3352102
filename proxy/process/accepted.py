"""The last accepted configuration, kept in the family's folder: what a member that starts runs, whatever the file says by then.

It holds references to secrets, never secrets, and project tokens, which is why only the owner can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from proxy.config.settings import Settings

from .control.messages import Version
from .family import Family, write_private


class Accepted(Struct, frozen=True):
    """One accepted configuration.

    Attributes:
        version: Its name.
        source: The file it came from, absolute; None: the environment alone.
        document: The effective document (policies inherited, defaults left out).
        process: The effective process settings, spelt out for the launcher, which knows no defaults.
        accepted_at: Unix seconds.
    """

    version: Version
    source: str | None
    document: dict[str, Any]
    process: dict[str, Any]
    accepted_at: float

    @property
    def settings(self) -> Settings:
        """The document as settings; it was checked when it was accepted."""
        return msgspec.convert(self.document, Settings)


def accepted(settings: Settings, document: Mapping[str, Any], *, version: Version, source: str | None, now: float) -> Accepted:
    """Make the record of a configuration that passed every check."""
    return Accepted(version, source, dict(document), msgspec.to_builtins(settings.process), now)


def store(family: Family, record: Accepted) -> None:
    """Replace the record in one step. From here on every member that starts runs the new one."""
    write_private(family.config, msgspec.json.encode(record))


def recall(family: Family) -> Accepted:
    """Read the record."""
    return msgspec.json.decode(family.config.read_bytes(), type=Accepted)
