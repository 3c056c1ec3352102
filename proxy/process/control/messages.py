"""The vocabulary between supervisor and workers. A new duty adds a struct to `Body` and a handler on the side that receives it.

Every body but `Done` may be sent as a call, which gets exactly one `Done` back, or as a note, which gets none. Bodies are
JSON on a Unix socket that only our own user can open. Secrets travel as references: the receiver reads them itself.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from proxy.lastgood.tiers.record import Purge, Sealed


class Version(Struct, frozen=True):
    """Which configuration: how often one was accepted since the first start, and what it says.

    Attributes:
        number: 1 for the configuration of the start, one more with each accepted reload.
        digest: Content hash; equal digests mean equal settings.
    """

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}-{self.digest}"


class Hello(Struct, frozen=True, tag="hello"):
    """Worker → supervisor, first on every connection: who I am, where I accept, and which configuration I run.

    `born`: when the process began, on the machine's monotonic clock; 0: it does not say.
    """

    pid: int
    index: int
    version: Version
    accepting: tuple[int, ...]
    born: float = 0.0


class Welcome(Struct, frozen=True, tag="welcome"):
    """Supervisor → worker, note: you are one of us; this is the launcher to outlive."""

    supervisor: int
    launcher: int


class Ping(Struct, frozen=True, tag="ping"):
    """Supervisor → worker: does your event loop turn?"""


class Report(Struct, frozen=True, tag="report"):
    """Supervisor → worker: tell your state; `Done.detail` is a flat table for `/status.json`."""


class Prepare(Struct, frozen=True, tag="prepare"):
    """Supervisor → worker, first phase of a reload: could you run this? Change nothing yet."""

    version: Version
    document: dict[str, Any]


class Commit(Struct, frozen=True, tag="commit"):
    """Supervisor → worker, second phase: run what you prepared under this version."""

    version: Version


class Abort(Struct, frozen=True, tag="abort"):
    """Supervisor → worker: forget what you prepared."""


class Accept(Struct, frozen=True, tag="accept"):
    """Supervisor → worker: accept from exactly these listeners (your own, and those of siblings that are away)."""

    listeners: tuple[int, ...]


class Drain(Struct, frozen=True, tag="drain"):
    """Supervisor → worker: finish what is in flight and exit 0; the launcher starts another."""


class DefinitionsChanged(Struct, frozen=True, tag="definitions_changed"):
    """Supervisor → worker: from now on this project's definitions are these; also said on every arrival, for every project.

    Attributes:
        project: Its name in the configuration.
        generation: Grows with every accepted set; a worker ignores one that is not newer than what it holds.
        path: The snapshot's file, checksummed; empty: no disk took it, and `content` is the file.
        content: The bytes of the file when there is none.
    """

    project: str
    generation: int
    path: str
    content: bytes = b""


class KeyAccepted(Struct, frozen=True, tag="key_accepted"):
    """Upstream accepted a key. Worker → supervisor: remember it. Supervisor → worker: a sibling, or an earlier life, learnt it.

    Attributes:
        hmac: HMAC-SHA256 of the caller's key, hexadecimal; the key itself is never sent.
        project: Its name in the configuration.
        token_hmac: HMAC-SHA256 of the project token it was presented with, hexadecimal.
        endpoint: What it opened (`definitions`).
        wall_time: When upstream last said so, Unix seconds.
        renewal: Unix second of the last 402 relayed for the project; 0: never. Its tags carry it (`edge/definitions/etags`).
    """

    hmac: str
    project: str
    token_hmac: str
    endpoint: str
    wall_time: float
    renewal: int = 0


class KeyRevoked(Struct, frozen=True, tag="key_revoked"):
    """Upstream refused a key that it had accepted: forget it, in memory and on disk. Both ways, as `KeyAccepted`.

    An empty `hmac` is an operator's word: forget every key of the project.
    """

    hmac: str
    project: str
    token_hmac: str
    endpoint: str
    renewal: int = 0


class FlagsGone(Struct, frozen=True, tag="flags_gone"):
    """Flags of a project are believed to be deleted or off. Worker → supervisor, and from there to every worker.

    Attributes:
        project: Its name in the configuration.
        flags: Their keys.
        is_plain: As `judgement.lost.gone.Loss.is_plain`.
    """

    project: str
    flags: tuple[str, ...]
    is_plain: bool


class Sample(Struct, frozen=True, tag="sample"):
    """Supervisor → worker: what did this project's callers ask lately? For the canary, kept in memory only, never logged.

    `Done.detail` is `{"requests": […]}`, each in the form of `proxy.definitions.canary.Asked`, at most `limit` of them.
    """

    project: str
    limit: int


class SwitchTurned(Struct, frozen=True):
    """A switch is turned (`answer.switches.NAMES`), for a project or for all (None).

    Attributes:
        left_s: Seconds until that is over, from the moment this is read; None: no end.
    """

    switch: str
    on: bool
    project: str | None
    left_s: float | None


class BreakerForced(Struct, frozen=True):
    """An upstream's breaker, or that of one project at it, is held `open` or `closed`; `left_s` as above."""

    upstream: str
    state: str
    project: str | None
    left_s: float | None


class Orders(Struct, frozen=True, tag="orders"):
    """Supervisor → worker: exactly these switches are turned and these breakers forced from now on. Also said on arrival."""

    switches: tuple[SwitchTurned, ...] = ()
    breakers: tuple[BreakerForced, ...] = ()


class Remember(Struct, frozen=True, tag="remember"):
    """Worker → supervisor: write these answers to the disk when there is time. The reply says that they were taken."""

    records: tuple[Sealed, ...]


class HoldRevoked(Struct, frozen=True, tag="hold_revoked"):
    """Supervisor → worker: refusals of this project's keys are real, an operator says; relay them."""

    project: str


class Done(Struct, frozen=True, tag="done"):
    """The one reply to a call.

    Attributes:
        refusal: Why it was not done; empty: it was.
        detail: What was asked for.
    """

    refusal: str = ""
    detail: dict[str, Any] = {}


Body: TypeAlias = (
    Hello
    | Welcome
    | Ping
    | Report
    | Prepare
    | Commit
    | Abort
    | Accept
    | Drain
    | DefinitionsChanged
    | KeyAccepted
    | KeyRevoked
    | FlagsGone
    | Sample
    | Orders
    | HoldRevoked
    | Remember
    | Purge
    | Done
)


class Frame(Struct, frozen=True, omit_defaults=True):
    """One message on the wire.

    Attributes:
        body: What is said.
        call: Number that the reply repeats; 0: a note.
        reply_to: The call that this replies to; 0: not a reply.
    """

    body: Body
    call: int = 0
    reply_to: int = 0


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Frame).decode
