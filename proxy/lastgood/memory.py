"""What of an answer is remembered: status, content type and body, never a header; and the body's marked twin, once asked for.

The twin is the same answer with `errorsWhileComputingFlags: true`. It is made at most once per remembered answer, and its bytes
count like the answer's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Final, Protocol

import msgspec

from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName
from proxy.clock import Clock
from proxy.config.settings import Policy

from .cache import Cache, Entry


class Kept(msgspec.Struct, gc=False):
    """One remembered answer.

    Attributes:
        whole: The upstream's own bytes, without headers.
        project: Whose it is, for purging.
        twin: The marked body; None until one was asked for.
        sound_under: Generation of the definitions under which all of it was found to count.
        listed_under: Generation of the definitions that were found to know all of its flags.
        set_mark: Stands for the set of its flags, in this process (`judgement.Verdict`); None until someone asks.
    """

    whole: Whole
    project: ProjectName
    twin: bytes | None = None
    sound_under: int = -1
    listed_under: int = -1
    set_mark: int | None = None


_FIXED_BYTES: Final = (
    sys.getsizeof(Key(1 << 62, b""))
    + sys.getsizeof(1 << 62)
    + sys.getsizeof(Kept(Whole(200, "", b""), ProjectName("")))
    + sys.getsizeof(Whole(200, "", b""))
    + 2 * sys.getsizeof(b"")
    + sys.getsizeof(1 << 62)  # the mark of its flags
)


class Behind(Protocol):
    """What is told of every good answer, to write it behind (`tiers.Tiers.offer`)."""

    def __call__(self, key: Key, whole: Whole, *, project: ProjectName, policy: Policy) -> None: ...


class Memory:
    """The remembered answers of one worker.

    Attributes:
        behind: Is told of every answer to be remembered, whether or not there was room for it here.
    """

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self.behind: Behind | None = None
        self.cache: Cache[Key, Kept] = Cache(max_bytes=max_bytes, clock=clock)
        self._clock = clock

    def get(self, key: Key | None) -> Entry[Kept] | None:
        """Return what is remembered under a key and may still be used."""
        return None if key is None else self.cache.get(key)

    def remember(
        self,
        key: Key,
        whole: Whole,
        *,
        project: ProjectName,
        policy: Policy,
        set_mark: int | None = None,
        fresh_s: float | None = None,
    ) -> bool:
        """Keep an answer for as long as the policy can use it; tell whether it was kept.

        Args:
            key: The question.
            whole: The answer; its headers are not kept.
            project: Whose it is.
            policy: How long it is of use.
            set_mark: As `Kept.set_mark`.
            fresh_s: How long it is fresh; None: as the policy says of answers without flags of their own freshness.
        """
        bare = _bare(whole)
        if self.behind is not None:
            self.behind(key, bare, project=project, policy=policy)
        return self._put(key, Kept(bare, project, set_mark=set_mark), policy=policy, age_s=0.0, fresh_s=fresh_s)

    def recall(self, key: Key, whole: Whole, *, project: ProjectName, policy: Policy, age_s: float) -> Entry[Kept] | None:
        """Put an answer back that is so old, unless a younger one is remembered; return what may be used now, if anything."""
        held = self.cache.get(key)
        if held is not None and self._clock.monotonic() - held.stored_at <= age_s:
            return held
        self._put(key, Kept(_bare(whole), project), policy=policy, age_s=age_s, fresh_s=0.0)
        return self.cache.get(key)

    def twin(self, key: Key, entry: Entry[Kept], mark: Callable[[bytes], bytes]) -> bytes:
        """Return the marked body of an entry, made by `mark` on first use."""
        kept = entry.value
        if kept.twin is None:
            kept.twin = mark(kept.whole.body)
            if kept.twin is not kept.whole.body:
                self.cache.grow(key, entry, sys.getsizeof(kept.twin))
        return kept.twin

    def resize(self, max_bytes: int) -> None:
        """Work within another budget from now on."""
        self.cache.resize(max_bytes)

    def purging(self, is_meant: Callable[[Key, ProjectName], bool]) -> Generator[None, None, int]:
        """Forget the answers that are meant, in steps: of a hundred thousand it takes 0.1 s; return how many."""
        return self.cache.purging(lambda key, kept: is_meant(key, kept.project))

    def _put(self, key: Key, kept: Kept, *, policy: Policy, age_s: float, fresh_s: float | None = None) -> bool:
        return self.cache.put(
            key,
            kept,
            cost_bytes=_FIXED_BYTES + len(key.material) + len(kept.whole.body),
            fresh_s=policy.fresh_s if fresh_s is None else fresh_s,
            usable_s=policy.usable_s,
            age_s=age_s,
        )


def _bare(whole: Whole) -> Whole:
    return Whole(whole.status, sys.intern(whole.content_type), whole.body)
