"""What a record is in Redis: a name that says nothing, and a value that begins with what a purge needs to know. Pure.

The head is not authenticated and not believed for anything but purging: what answers is the sealed rest.
"""

from __future__ import annotations

import struct
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


WRITE: Final = """
local old = redis.pcall('GETRANGE', KEYS[1], 0, 329)
if type(old) == 'string' and string.byte(old, 1) == string.byte(ARGV[1], 1) and #old >= 75 then
  local at = 68 + string.byte(old, 34)
  local said = string.sub(old, at, at + 7)
  if #said == 8 then
    local there = struct.unpack('>d', said)
    if there > struct.unpack('>d', ARGV[3]) and there <= struct.unpack('>d', ARGV[4]) then return 0 end
  end
end
local done = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if type(done) == 'table' and done.err then return done end
return 1
"""
"""Write unless something later is there: an instance that was cut off for a while has old answers to give. One step, one name.

ARGV: value, milliseconds to live, when it was said, and now. Times are `moment`s, compared as numbers: Lua compares texts by
the locale that Redis was started in. What seems to come from the future (a clock that runs ahead wrote it) keeps nothing out.
The place is that of the head and of the envelope that `sealing` makes: 34 bytes, a project's name, the tag's 32, a format's
one, then the moment.
"""


def moment(seconds: float) -> bytes:
    """Return Unix seconds in eight bytes, as envelopes have them."""
    return struct.pack(">d", max(0.0, seconds))


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
