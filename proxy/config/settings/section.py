"""What every section is made of: closed immutable tables, and values with their unit and range."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1, le=1 << 40)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Ratio = Annotated[float, Meta(gt=0, le=1)]
Tokens = Annotated[tuple[str, ...], Meta(extra={"private": True})]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: closed, immutable."""


class SecretSource(Section, frozen=True):
    """Where a secret is read from: exactly one of an environment variable and a file (trailing newline dropped)."""

    env: str | None = None
    file: str | None = None
