"""Whose word about the client's address counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.forwarded import LONGEST_CHAIN, Client, TrustedProxies, parse_address

BALANCERS = TrustedProxies(("10.0.0.0/8", "2001:db8:ff::/48", "::ffff:192.168.0.0/112"))

ADDRESSES = [
    ("1.2.3.4", "1.2.3.4"),
    ("  1.2.3.4\t", "1.2.3.4"),
    ("1.2.3.4:8080", "1.2.3.4"),
    ("2001:DB8::0001", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1"),
    ("::ffff:1.2.3.4", "1.2.3.4"),
    ("[::ffff:1.2.3.4]:80", "1.2.3.4"),
]
NO_ADDRESSES = [
    "", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:x", "1.2.3.4:123456", "[2001:db8::1",
    "[2001:db8::1]x", "[1.2.3.4", "2001:db8::1::2", "1.2.3.4 5.6.7.8", "example.com", "１.2.3.4", "1.2.3.4\r\nX-Evil: 1",
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), ADDRESSES)
def test_addresses_are_read_as_proxies_write_them(text: str, canonical: str) -> None:
    assert str(parse_address(text)) == canonical


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_anything_else_is_no_address(text: str) -> None:
    assert parse_address(text) is None


# peer, X-Forwarded-For lines, the client, what upstream gets
CHAINS = [
    ("8.8.8.8", [], "8.8.8.8", "8.8.8.8"),
    ("8.8.8.8", ["6.6.6.6"], "8.8.8.8", "8.8.8.8"),
    ("10.0.0.1", [], "10.0.0.1", "10.0.0.1"),
    ("10.0.0.1", ["8.8.8.8"], "8.8.8.8", "8.8.8.8, 10.0.0.1"),
    ("10.0.0.1", ["6.6.6.6, 8.8.8.8"], "8.8.8.8", "8.8.8.8, 10.0.0.1"),
    ("10.0.0.1", ["6.6.6.6", "8.8.8.8"], "8.8.8.8", "8.8.8.8, 10.0.0.1"),
    ("10.0.0.1", ["6.6.6.6, 8.8.8.8, 10.0.0.2"], "8.8.8.8", "8.8.8.8, 10.0.0.2, 10.0.0.1"),
    ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", "10.0.0.3, 10.0.0.2, 10.0.0.1"),
    ("10.0.0.1", ["8.8.8.8, unknown"], "10.0.0.1", "10.0.0.1"),
    ("10.0.0.1", ["8.8.8.8, unknown, 10.0.0.2"], "10.0.0.2", "10.0.0.2, 10.0.0.1"),
    ("10.0.0.1", ["8.8.8.8:4711"], "8.8.8.8", "8.8.8.8, 10.0.0.1"),
    ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7", "2001:db8::7, 10.0.0.1"),
    ("::ffff:10.0.0.1", ["8.8.8.8"], "8.8.8.8", "8.8.8.8, 10.0.0.1"),
    ("2001:db8:ff::1", ["2001:db8::7"], "2001:db8::7", "2001:db8::7, 2001:db8:ff::1"),
    ("192.168.0.9", ["8.8.8.8"], "8.8.8.8", "8.8.8.8, 192.168.0.9"),
    ("", ["8.8.8.8"], "", ""),
]


@pytest.mark.parametrize(("peer", "lines", "address", "chain"), CHAINS)
def test_the_client_is_the_first_untrusted_hop_from_the_right(peer: str, lines: list[str], address: str, chain: str) -> None:
    assert BALANCERS.client(peer, lines) == Client(address, chain)


def test_only_the_nearest_hops_of_an_endless_chain_are_walked() -> None:
    endless = ", ".join(["10.0.0.7"] * 10_000)
    assert BALANCERS.client("10.0.0.1", [endless]).chain.count(",") == LONGEST_CHAIN


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), max_size=4))
def test_an_untrusted_peer_can_say_nothing_about_addresses(lines: list[str]) -> None:
    assert BALANCERS.client("8.8.8.8", lines) == Client("8.8.8.8", "8.8.8.8")


@given(st.lists(st.sampled_from([text for text, _ in ADDRESSES] + NO_ADDRESSES), max_size=6))
def test_the_chain_starts_with_the_client_and_ends_with_the_peer(entries: list[str]) -> None:
    client = BALANCERS.client("10.0.0.1", [",".join(entries)])
    hops = client.chain.split(", ")
    assert hops[0] == client.address
    assert hops[-1] == "10.0.0.1"
    assert all(BALANCERS.trusts(hop) for hop in hops[1:])


def test_an_unreadable_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.0/40' is neither"):
        TrustedProxies(("10.0.0.0/8", "10.0.0.0/40"))
