"""The client's address as the service reads it: first `X-Forwarded-For` element, else the peer (contract §1.6)."""

from __future__ import annotations

from collections.abc import Mapping


def client_address(headers: Mapping[str, str], peer: str | None) -> str:
    """Return the client's address without port and brackets; "" when there is none."""
    forwarded = headers.get("X-Forwarded-For", "").partition(",")[0].strip()
    return _bare(forwarded) or peer or ""


def _bare(address: str) -> str:
    """Strip a port and brackets: `[::1]:80` → `::1`, `10.0.0.1:80` → `10.0.0.1`; a bare IPv6 address has colons of its own."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
