"""A small JSON call to the control endpoint, on a connection of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec


async def call(port: int, method: str, path: str, told: Any = None) -> Any:
    """Call and return the JSON answer.

    Raises:
        RuntimeError: It was refused.
    """
    body = b"" if told is None else msgspec.json.encode(told)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head_bytes[:20]:
        raise RuntimeError(f"the control endpoint refused: {content.decode(errors='replace')[:200]}")
    return msgspec.json.decode(content)
