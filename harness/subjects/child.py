"""A subject's process: started, asked in batches, bounded in memory and time, and started again after it died.

A crash, a hang or a line outside the protocol costs one request, never the run: the request that caused it gets a `Trouble`
in place of a reply, the process is replaced, the definitions are loaded again, and the rest of the batch is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Self, TypeAlias

import msgspec

from .protocol import Reply, decode, describe, encode, load

LINE_BYTES = 64 * 1024 * 1024
# What a child must not inherit from whoever runs it: proxies would swallow loopback polls. Its zone is the launch's.
FIXED_ENVIRONMENT = {"NO_PROXY": "*", "no_proxy": "*"}


class TroubleKind(StrEnum):
    """What went wrong with the process itself."""

    CRASH = "crash"
    HANG = "hang"
    GARBAGE = "garbage"


class Trouble(msgspec.Struct, frozen=True):
    """In place of a reply: the request on which the process died, fell silent or spoke nonsense."""

    kind: TroubleKind
    detail: str


Outcome: TypeAlias = "Reply | Trouble"


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How a subject is started and what it may cost.

    Attributes:
        name: As the user wrote it, `posthog-node@5.70.0`.
        command: Program and arguments.
        memory_bytes: Limit on the process's data segments (RLIMIT_DATA; where the system has it).
        start_s: Longest wait for the first answer of a process, its start-up included.
        answer_s: Longest wait for any other answer.
        zone: The host's time zone as the process sees it, an IANA name; naive dates are read in it.
    """

    name: str
    command: tuple[str, ...]
    memory_bytes: int = 1024 * 1024 * 1024
    start_s: float = 60.0
    answer_s: float = 20.0
    zone: str = "UTC"


class Child:
    """One running subject. Use as an async context manager; not for concurrent callers."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.answer_s = launch.answer_s
        self.version = "?"
        self.capabilities: tuple[str, ...] = ()
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._definitions: Mapping[str, Any] | None = None
        self._last_id = 0
        self._fresh = True

    async def __aenter__(self) -> Self:
        try:
            reply = (await self._batch([describe()]))[0]
        except OSError as cause:
            raise UnusableSubject(self.launch.name, str(cause)) from cause
        if isinstance(reply, Trouble) or reply.version is None:
            await self._stop()
            raise UnusableSubject(self.launch.name, _why(reply))
        self.version, self.capabilities = reply.version, reply.capabilities
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def load(self, definitions: Mapping[str, Any]) -> Outcome:
        """Replace the definitions; a Trouble here means the document itself kills the subject."""
        self._definitions = None
        outcome = (await self._batch([load(definitions)]))[0]
        if isinstance(outcome, Reply) and outcome.ok:
            self._definitions = definitions
        return outcome

    async def ask(self, requests: Sequence[Mapping[str, Any]], *, patience: int | None = None) -> list[Outcome]:
        """Ask a batch; return one outcome per request, in order.

        Args:
            requests: What to ask.
            patience: After this many troubles the rest is not asked: it shares the last one's outcome. None: ask all.
        """
        outcomes: list[Outcome] = []
        while len(outcomes) < len(requests):
            if patience is not None and sum(isinstance(one, Trouble) for one in outcomes) >= patience:
                outcomes += outcomes[-1:] * (len(requests) - len(outcomes))
                break
            if (
                self._process is None
                and self._definitions is not None
                and not _is_ok((await self._batch([load(self._definitions)]))[0])
            ):
                outcomes += [Trouble(TroubleKind.CRASH, "did not come back")] * (len(requests) - len(outcomes))
                break
            outcomes += await self._batch(requests[len(outcomes) :])
        return outcomes

    async def _batch(self, requests: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Ask until all are answered or one brings trouble, which is then the last outcome; never empty."""
        process = self._process or await self._start()
        first = self._last_id + 1
        self._last_id += len(requests)
        writing = asyncio.create_task(_write(process, [encode(first + n, request) for n, request in enumerate(requests)]))
        outcomes: list[Outcome] = []
        try:
            for n in range(len(requests)):
                outcomes.append(await self._read(process, first + n))
                self._fresh = False
                if isinstance(outcomes[-1], Trouble):
                    await self._stop()
                    self.restarts += 1
                    break
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
        return outcomes

    async def _read(self, process: asyncio.subprocess.Process, identity: int) -> Outcome:
        assert process.stdout is not None
        limit_s = self.launch.start_s if self._fresh else self.answer_s
        try:
            async with asyncio.timeout(limit_s):
                line = await process.stdout.readline()
        except TimeoutError:
            return Trouble(TroubleKind.HANG, f"no answer within {limit_s:g} s")
        except ValueError:
            return Trouble(TroubleKind.GARBAGE, f"a line longer than {LINE_BYTES} bytes")
        if not line:
            return Trouble(TroubleKind.CRASH, f"exit code {await process.wait()}")
        try:
            reply = decode(line)
        except msgspec.DecodeError as cause:
            return Trouble(TroubleKind.GARBAGE, str(cause))
        return reply if reply.id == identity else Trouble(TroubleKind.GARBAGE, "an answer with another id")

    async def _start(self) -> asyncio.subprocess.Process:
        self._fresh = True
        self._process = await asyncio.create_subprocess_exec(
            *self.launch.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_BYTES,
            env={**os.environ, **FIXED_ENVIRONMENT, "TZ": self.launch.zone},
            start_new_session=True,
        )
        if hasattr(resource, "prlimit"):
            # Data segments rather than address space: V8, Go and the JVM reserve far more addresses than they use.
            with contextlib.suppress(ProcessLookupError):
                limit = self.launch.memory_bytes
                resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (limit, limit))
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # It leads a session of its own: nothing it started outlives it.
        await process.wait()


class UnusableSubject(Exception):  # noqa: N818 — a state of the machine, reported as exit code 3
    """A subject that cannot be started here; the message says what to do about it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")


async def _write(process: asyncio.subprocess.Process, lines: Sequence[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        for line in lines:
            process.stdin.write(line)
            await process.stdin.drain()


def _why(outcome: Outcome) -> str:
    if isinstance(outcome, Trouble):
        return outcome.detail
    return "it does not describe itself" if outcome.error is None else f"{outcome.error.kind}: {outcome.error.message}"


def _is_ok(outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and outcome.ok
