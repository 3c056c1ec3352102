"""Who the client is: its address, from the socket and, when the peer is one of ours, from `X-Forwarded-For`.

The flag service takes the *first* element of `X-Forwarded-For` for GeoIP, rate limits and bots (contract §1.6), so the first
element must never be something a client wrote. The chain is walked from the right: trusted hops are skipped, the first address
that is not trusted is the client, and everything to its left is dropped. A hop that says something unreadable ends the walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

REMEMBERED_ADDRESSES = 4096
LONGEST_CHAIN = 32  # hops; a longer one is an attack on our time, not a network


class Client(msgspec.Struct, frozen=True):
    """Where a request comes from.

    Attributes:
        address: Effective client address, canonical, without port or brackets; "" on a Unix socket.
        chain: What upstream gets as `X-Forwarded-For`; its first element is `address`.
    """

    address: str
    chain: str


class TrustedProxies:
    """The load balancers in front of us, whose `X-Forwarded-For` counts."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Take CIDRs or single addresses, IPv4 and IPv6; raise ValueError that names the first unreadable one."""
        self._networks = tuple(_network(text) for text in networks)
        # Peers repeat (keep-alive, a few balancers): parsing costs 2 µs, a remembered one 0.1.
        self._seen = lru_cache(maxsize=REMEMBERED_ADDRESSES)(self._look_at)

    def client(self, peer: str, forwarded_for: Sequence[str] = ()) -> Client:
        """Return the effective client and the chain to send upstream.

        `peer` is the address of the socket's other end, `forwarded_for` the values of all `X-Forwarded-For` lines in order.
        """
        address, is_trusted = self._seen(peer)
        if not is_trusted or not forwarded_for:
            return Client(address, address)
        chain = self._trusted_part(forwarded_for)
        return Client(chain[0], ", ".join((*chain, address))) if chain else Client(address, address)

    def trusts(self, peer: str) -> bool:
        """Tell whether this peer's word about addresses counts."""
        return self._seen(peer)[1]

    def _trusted_part(self, forwarded_for: Sequence[str]) -> list[str]:
        """Return the hops from the client on, oldest first; empty when the nearest entry is unreadable."""
        kept: list[str] = []
        for entry in reversed(",".join(forwarded_for).split(",")[-LONGEST_CHAIN:]):
            address, is_trusted = self._seen(entry)
            if not address:
                break
            kept.append(address)
            if not is_trusted:
                break
        kept.reverse()
        return kept

    def _look_at(self, text: str) -> tuple[str, bool]:
        """Return the canonical address ("" when it is none) and whether it is trusted."""
        address = parse_address(text)
        if address is None:
            return "", False
        return str(address), any(address.version == network.version and address in network for network in self._networks)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as proxies write them: `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`.

    A v4-mapped IPv6 address becomes its IPv4 address, a zone is dropped; None for anything else.
    """
    text = text.strip(" \t")
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or not _is_port(port):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(":" + port):
            return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= len(":65535"))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"trusted_proxies: {text!r} is neither an address nor a CIDR such as 10.0.0.0/8") from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < 96:  # noqa: PLR2004 - ::ffff:0:0/96 is the v4-mapped block
        return network
    return IPv4Network((mapped, network.prefixlen - 96))
