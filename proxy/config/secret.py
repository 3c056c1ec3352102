"""Secrets: values that never print, read from an environment variable or a file, never from the configuration itself."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from .settings import SecretSource

REDACTED: Final = "[redacted]"


class Secret:
    """A string that shows itself to nobody who does not call `reveal`: not to repr, str, format, JSON or pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Every call is a place to review."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._value.encode(), candidate.encode("utf-8", "surrogateescape"))

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied; pass its SecretSource on instead")


def read_secret(source: SecretSource, environ: Mapping[str, str]) -> Secret | str:
    """Return the secret, or the reason why there is none (which names the source and never a value)."""
    match source:
        case SecretSource(env=str(name), file=None):
            return _usable(environ.get(name), f"environment variable {name} is not set")
        case SecretSource(env=None, file=str(name)):
            return _usable(_file_text(name), f"file {name} cannot be read")
        case _:
            return "give exactly one of `env` and `file`"


def _usable(value: str | None, absent: str) -> Secret | str:
    if value is None:
        return absent
    return Secret(value) if value else "the secret is empty"


def _file_text(name: str) -> str | None:
    try:
        return Path(name).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        return None
