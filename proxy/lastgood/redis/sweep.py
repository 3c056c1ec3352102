"""Purging Redis: every name is looked at, in pages, on every primary of a cluster. A page that fails ends the sweep.

A record does not lie under its project or person, so that a name tells nothing; so a purge reads the head of each. That costs a
purge seconds per million records, and every write nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from redis.exceptions import ResponseError

from proxy.lastgood.tiers.record import SealedPurge
from proxy.shared.connecting import Client
from proxy.shared.link import Link, Trouble

from .packing import HEAD_BYTES, is_meant, pattern_of

PAGE: Final = 500
PAGE_S: Final = 5.0


async def sweep(link: Link, prefix: str, purge: SealedPurge) -> int | Trouble:
    """Forget what is meant; return how many records those were."""
    names: AsyncIterator[bytes] | None = None
    forgotten = 0

    async def page(client: Client) -> list[bytes]:
        nonlocal names
        names = names or client.scan_iter(match=pattern_of(prefix), count=PAGE)
        return await _some(names)

    while True:
        found = await link.ask(page, timeout_s=PAGE_S)
        if isinstance(found, Trouble):
            return found
        if not found:
            return forgotten
        gone = await link.ask(lambda client, found=found: _forget(client, found, purge), timeout_s=PAGE_S)  # type: ignore[misc]
        if isinstance(gone, Trouble):
            return gone
        forgotten += gone


async def _some(names: AsyncIterator[bytes]) -> list[bytes]:
    found: list[bytes] = []
    async for name in names:
        found.append(name)
        if len(found) >= PAGE:
            break
    return found


async def _forget(client: Client, names: list[bytes], purge: SealedPurge) -> int:
    meant = names
    if purge.project is not None or purge.people is not None:
        reading = client.pipeline(transaction=False)
        for name in names:
            reading.getrange(name, 0, HEAD_BYTES - 1)
        heads = await reading.execute(raise_on_error=False)
        meant = [name for name, head in zip(names, heads, strict=True) if _is_meant(head, purge)]
    dropping = client.pipeline(transaction=False)
    for name in meant:
        dropping.execute_command("UNLINK", name)  # redis-py 8.1: in a cluster's pipeline its `unlink` queues nothing
    return sum(await dropping.execute()) if meant else 0


def _is_meant(head: bytes | Exception, purge: SealedPurge) -> bool:
    """Tell whether to drop what was found under a name of ours: also what is no record at all, and Redis says so."""
    if isinstance(head, ResponseError):
        return True
    if isinstance(head, Exception):
        raise head
    return bool(head) and is_meant(head, purge)
