"""Redis: what the machines of a fleet share, and the one place where they meet."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .section import Bytes, SecretSource, Section

SINGLE: Final = "single"
SENTINEL: Final = "sentinel"
CLUSTER: Final = "cluster"
SECRET_CHARACTERS: Final = 32
"""A secret that can be guessed authenticates nothing."""

Timeout = Annotated[float, Meta(gt=0, le=5)]


class Redis(Section, frozen=True):
    """A Redis or Valkey that several instances share; without `addresses` there is none.

    Attributes:
        addresses: `host:port`, IPv6 hosts in brackets: the server (`single`), the sentinels, or some nodes of the cluster.
        mode: What those addresses are.
        sentinel_name: The master's name, for sentinels.
        username: ACL user; None: the default one.
        password: Of that user; read again for every connection.
        sentinel_password: The sentinels' own.
        database: Number; a cluster has only 0.
        tls: Encrypt; certificates are always verified.
        ca_file: PEM bundle for a private CA.
        timeout_s: Longest wait for one command when a request could use its answer.
        prefix: Before every name that is written; instances that share have the same.
        max_value_bytes: Larger answers are not shared.
        queue_bytes: Answers waiting to be written, per worker; the oldest go first.
        secret: Authenticates what is shared: at least 32 characters, the same in every instance.
        previous_secret: Still believed, never used for writing: for changing `secret` without losing what is there.
        answers: Share remembered answers.
        definitions: Share definitions: one poller a fleet, and a set to start from for a machine without a disk.
    """

    addresses: tuple[str, ...] = ()
    mode: Annotated[str, Meta(pattern=f"^({SINGLE}|{SENTINEL}|{CLUSTER})$")] = SINGLE
    sentinel_name: str | None = None
    username: str | None = None
    password: SecretSource | None = None
    sentinel_password: SecretSource | None = None
    database: Annotated[int, Meta(ge=0, le=1023)] = 0
    tls: bool = False
    ca_file: str | None = None
    timeout_s: Timeout = 0.1
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] = "holdfast"
    max_value_bytes: Bytes = 262_144
    queue_bytes: Bytes = 8 * 1024 * 1024
    secret: SecretSource | None = None
    previous_secret: SecretSource | None = None
    answers: bool = True
    definitions: bool = True

    @property
    def is_on(self) -> bool:
        """There is one."""
        return bool(self.addresses)
