"""Which keys upstream accepted, kept so that a restart in the middle of an outage does not lock anybody out.

A record says: upstream accepted the key with this HMAC, for this project token, at this endpoint, at this time. It holds
neither key nor token, and without the secret, which is ours, nobody can tell which key a record stands for. The file is
checksummed and only we can read it; one that does not check is not believed in any part.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from proxy.config.secret import Secret, read_secret
from proxy.config.settings import DefinitionsStore, SecretSource
from proxy.process.control.messages import KeyAccepted, KeyRevoked

from .document import Unreadable
from .snapshot import private_folder, write_durably

FILE: Final = "keys.hfk"
SECRET_FILE: Final = "hmac.key"  # noqa: S105  the name of a file
MAX_RECORDS: Final = 10_000
"""The oldest go first; each costs about 250 bytes."""

_NOBODY: Final = "-"
_MAGIC: Final = b"holdfast keys 1\n"
_SECRET_BYTES: Final = 32


class Opening(NamedTuple):
    """What one record is about: a key (by HMAC), a project, its token (by HMAC), an endpoint."""

    hmac: str
    project: str
    token_hmac: str
    endpoint: str


class Kept(msgspec.Struct, frozen=True):
    """What is written.

    Attributes:
        records: One for each opening.
        renewals: Project → the latest renewal (`KeyAccepted.renewal`), which outlives the records it came with.
    """

    records: tuple[KeyAccepted, ...] = ()
    renewals: dict[str, int] = {}


class Acceptances:
    """The records of one instance, the most recently confirmed last."""

    def __init__(self, kept: Kept = Kept()) -> None:  # noqa: B008  frozen
        self._records = {_opening(record): record for record in sorted(kept.records, key=_age)}
        self._renewals = dict(kept.renewals)

    @property
    def kept(self) -> Kept:
        """What is to be written."""
        return Kept(tuple(self._records.values()), dict(self._renewals))

    def __iter__(self) -> Iterator[KeyAccepted]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def accept(self, record: KeyAccepted) -> bool:
        """Take a record; False when a newer one is there."""
        self._renew(record)
        opening = _opening(record)
        held = self._records.get(opening)
        if held is not None and held.wall_time >= record.wall_time:
            return False
        self._records.pop(opening, None)
        self._records[opening] = record
        while len(self._records) > MAX_RECORDS:
            del self._records[next(iter(self._records))]
        return True

    def revoke(self, revoked: KeyRevoked) -> bool:
        """Forget a record, or with an empty `hmac` every record of the project; False when that changes nothing."""
        is_new = self._renew(revoked)
        gone = [opening for opening in self._records if _is_revoked(opening, revoked)]
        for opening in gone:
            del self._records[opening]
        return bool(gone) or is_new

    def expire(self, *, before_wall: float) -> int:
        """Forget what was last confirmed before an instant (Unix seconds); return how many."""
        old = [opening for opening, record in self._records.items() if record.wall_time < before_wall]
        for opening in old:
            del self._records[opening]
        return len(old)

    def _renew(self, said: KeyAccepted | KeyRevoked) -> bool:
        is_new = said.renewal > self._renewals.get(said.project, 0)
        if is_new:
            self._renewals[said.project] = said.renewal
        return is_new


def renewals_of(records: Acceptances) -> list[KeyRevoked]:
    """Say each project's renewal with a revocation of a key that nobody has."""
    return [KeyRevoked(_NOBODY, project, "", "", renewal) for project, renewal in records.kept.renewals.items()]


def encode_acceptances(records: Acceptances) -> bytes:
    """Return the file form: format, checksum of the rest, the records as JSON."""
    rest = msgspec.json.encode(records.kept)
    return _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def decode_acceptances(content: bytes) -> Acceptances | Unreadable:
    """Read the file form; any changed, missing or added byte makes it unreadable."""
    if not content.startswith(_MAGIC):
        return Unreadable("not a file of accepted keys of this format")
    digest, _, rest = content[len(_MAGIC) :].partition(b"\n")
    if digest != hashlib.sha256(rest).hexdigest().encode():
        return Unreadable("the checksum does not match")
    try:
        return Acceptances(msgspec.json.decode(rest, type=Kept))
    except msgspec.DecodeError:
        return Unreadable("its records are not understood here")


def load_acceptances(folder: Path) -> Acceptances | Unreadable:
    """Read the records of a folder; none when there is no file yet."""
    try:
        return decode_acceptances((folder / FILE).read_bytes())
    except FileNotFoundError:
        return Acceptances()
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror}")


def store_acceptances(folder: Path, records: Acceptances) -> None:
    """Replace the records of a folder.

    Raises:
        OSError: The disk does not take it; what was there before still is.
    """
    private_folder(folder)
    write_durably(folder / FILE, encode_acceptances(records))


def hmac_secret(store: DefinitionsStore, folder: Path, environ: Mapping[str, str]) -> bytes | Unreadable:
    """Return the secret under which keys are remembered."""
    return secret_of(store.hmac_key, folder, environ)


def secret_of(configured: SecretSource | None, folder: Path, environ: Mapping[str, str]) -> bytes | Unreadable:
    """Return the secret of a folder: the configured one, else its own, made when there is none.

    Every process of an instance gets the same one, whoever asks first. Where none can be had, records can live only as long
    as the process that makes them: let it use random bytes of its own.
    """
    if configured is not None:
        found = read_secret(configured, environ)
        return found.reveal().encode() if isinstance(found, Secret) else Unreadable(found)
    try:
        own = _own_secret(folder)
    except OSError as error:
        return Unreadable(f"no secret can be kept in the folder: {error.strerror}")
    return own if len(own) == _SECRET_BYTES else Unreadable(f"{SECRET_FILE} in the folder is damaged; remove it")


def _own_secret(folder: Path) -> bytes:
    path = folder / SECRET_FILE
    private_folder(folder)
    if not path.exists():
        made = folder / f".{SECRET_FILE}.{os.getpid()}"
        write_durably(made, secrets.token_bytes(_SECRET_BYTES))
        try:
            os.link(made, path)  # fails where a sibling was faster: then its secret is the one
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes()


def _opening(record: KeyAccepted | KeyRevoked) -> Opening:
    return Opening(record.hmac, record.project, record.token_hmac, record.endpoint)


def _is_revoked(opening: Opening, revoked: KeyRevoked) -> bool:
    return opening == _opening(revoked) or (not revoked.hmac and opening.project == revoked.project)


def _age(record: KeyAccepted) -> float:
    return record.wall_time
