"""Which response shape a request gets: the one place where `v`, `config`, the decide header and the method are weighed.

Source of the rules: contract §1.2, §1.5 and §3.1. What the contract marks UNVERIFIED (`v` above 3) is one row of a table here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec


class Shape(StrEnum):
    """The five bodies that PostHog's flag service gives (contract §3.2 to §3.5)."""

    DECIDE_1 = "decide_v1"
    DECIDE_2 = "decide_v2"
    LEGACY = "flags_v1"
    V2 = "flags_v2"
    V3 = "flags_v3"

    @property
    def has_records(self) -> bool:
        """Each flag is a record with reason and metadata, so nothing is lost by reading it back."""
        return self in {Shape.V2, Shape.V3}

    @property
    def has_error_bit(self) -> bool:
        """`errorsWhileComputingFlags` is part of the shape."""
        return self not in {Shape.DECIDE_1, Shape.DECIDE_2}


class Asked(msgspec.Struct, frozen=True):
    """What the query string asks for: a shape, and whether remote config is to be merged in."""

    shape: Shape
    config: bool


DECIDE_HEADER: Final = ("X-Original-Endpoint", "decide")
"""The header, not the path, makes a request a decide request (contract §1.4)."""

_FLAGS: Final = {2: Shape.V2, 3: Shape.V3}
_DECIDE: Final = {2: Shape.DECIDE_2, 3: Shape.LEGACY}
_FALSE: Final = frozenset({"false", "0", "no", "off"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)
_I32: Final = 2**31


def choose_shape(endpoint_is_decide: bool, v: str | None, *, config: str | None = None, method: str = "POST") -> Asked:  # noqa: FBT001 - the one positional fact of the contract
    """Choose the response shape of a request.

    Args:
        endpoint_is_decide: The request carries `X-Original-Endpoint: decide`; the path does not matter.
        v: Raw text of the query parameter `v` (or `version`); None when absent.
        config: Raw text of the query parameter `config`; None when absent.
        method: Upper-case HTTP method. A GET without `v` and `config` does not get the defaults of a bare POST.
    """
    version = read_version(v)
    wants_config = read_flag(config)
    if endpoint_is_decide:
        return Asked(_decide_shape(version), wants_config is not False)
    if method != "GET" and version is None and wants_config is None:
        return Asked(Shape.V2, config=True)
    return Asked(_flags_shape(version), bool(wants_config))


def read_version(text: str | None) -> int | None:
    """Read `v`: empty is absent, what is not a 32-bit integer counts as 1 (contract §1.5)."""
    if not text:
        return None
    if len(text) > 11 or not _INTEGER.match(text):  # noqa: PLR2004 - "-2147483648" has eleven characters
        return 1
    number = int(text)
    return number if -_I32 <= number < _I32 else 1


def read_flag(text: str | None) -> bool | None:
    """Read a lenient boolean: absent is None, `false`, `0`, `no`, `off` are False, anything else is True (contract §1.5)."""
    return None if text is None else text.lower() not in _FALSE


def _flags_shape(version: int | None) -> Shape:
    if version is None or version < min(_FLAGS):
        return Shape.LEGACY
    return _FLAGS.get(version, Shape.V3)  # UNVERIFIED for v > 3; `v=4` gets typed records (contract §3.1)


def _decide_shape(version: int | None) -> Shape:
    if version is None or version < min(_DECIDE):
        return Shape.DECIDE_1
    return _DECIDE.get(version, Shape.V2)
