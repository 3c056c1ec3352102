"""What is posted for the others: a set, sealed under the fleet's secret: who can write to Redis cannot change a flag. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

import msgspec

from proxy.definitions.document import DefinitionsSet, Unreadable, decode_set, encode_set

_MAGIC: Final = b"holdfast posting 1\n"
_TAG_BYTES: Final = 32
_HEAD_BYTES: Final = len(_MAGIC) + _TAG_BYTES
_SHA256: Final = "sha256"


class Posted(msgspec.Struct, frozen=True):
    """One accepted set.

    Attributes:
        kept: The set, with the generation it was accepted under.
        is_decided: An operator chose it: it is taken as it is, not judged again.
        barred: Digests that operators rolled back from.
    """

    kept: DefinitionsSet
    is_decided: bool = False
    barred: tuple[str, ...] = ()


class _Form(msgspec.Struct, frozen=True, array_like=True):
    content: bytes
    is_decided: bool
    barred: tuple[str, ...]


class Seal:
    """Seals under the first secret, opens under any."""

    def __init__(self, *secrets: bytes) -> None:
        self._keys: Sequence[bytes] = [hmac.digest(secret, b"holdfast definitions posting 1", _SHA256) for secret in secrets]

    def seal(self, posted: Posted) -> bytes:
        """Return what is written to Redis."""
        form = msgspec.msgpack.encode(_Form(encode_set(posted.kept), posted.is_decided, posted.barred))
        return _MAGIC + _tag(self._keys[0], posted.kept.project, form) + form

    def open(self, project: str, content: bytes) -> Posted | Unreadable:
        """Read it back; whatever was not sealed for this project by one of us is unreadable, with the reason."""
        tag, form = content[len(_MAGIC) : _HEAD_BYTES], content[_HEAD_BYTES:]
        if not content.startswith(_MAGIC):
            return Unreadable("not a posting of this format")
        if not any(hmac.compare_digest(tag, _tag(key, project, form)) for key in self._keys):
            return Unreadable("not sealed under this fleet's secret")
        found = msgspec.msgpack.decode(form, type=_Form)
        kept = decode_set(found.content)
        return kept if isinstance(kept, Unreadable) else Posted(kept, found.is_decided, found.barred)


def _tag(key: bytes, project: str, form: bytes) -> bytes:
    name = project.encode()
    return hmac.digest(key, len(name).to_bytes(2, "big") + name + form, _SHA256)
