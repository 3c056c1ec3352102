"""What is remembered of answers, and where."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .section import Bytes, PositiveSeconds, Seconds, SecretSource, Section


class Memory(Section, frozen=True):
    """The remembered answers of one worker.

    Attributes:
        max_bytes: What they may take, Python's overhead counted; those not used longest go first. With a store or Redis an
            eighth of it is for those that wait to be written there.
    """

    max_bytes: Bytes = 64 * 1024 * 1024


class Store(Section, frozen=True):
    """The last good answers on disk: what a worker that starts again knows.

    Attributes:
        enabled: False: nothing of an answer is ever written to a disk.
        directory: Private folder (0700), one instance a folder; None: inside the runtime folder, lost when the instance stops.
        max_bytes: What the file may take; the answers written longest ago go first.
        rewrite_s: An answer that says the same as before is written again only after this, so its age on disk may be that much
            more than it is.
        read_timeout_s: Longest wait for the disk when a request could use its answer.
        hmac_key: Hides questions and authenticates answers; None: a random one, kept in the directory (0600).
        previous_hmac_key: Still believed, never used for writing: for changing `hmac_key` without forgetting everything.
    """

    enabled: bool = True
    directory: str | None = None
    max_bytes: Annotated[int, Meta(ge=1024 * 1024, le=1 << 40)] = 128 * 1024 * 1024
    rewrite_s: Seconds = 60.0
    read_timeout_s: PositiveSeconds = 0.1
    hmac_key: SecretSource | None = None
    previous_hmac_key: SecretSource | None = None
