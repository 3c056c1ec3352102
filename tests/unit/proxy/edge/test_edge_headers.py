"""Which header lines pass, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from proxy.edge.forwarded import TrustedProxies
from proxy.edge.headers import (
    BAGGAGE,
    COOKIES,
    CORS_ANSWERS,
    HOP_BY_HOP,
    REQUEST_DROPPED,
    RESPONSE_DROPPED,
    client_address,
    forwardable,
    relayable,
)

NOBODY = TrustedProxies()
BALANCERS = TrustedProxies(("10.0.0.0/8",))
OURS = ("X-Forwarded-For", "8.8.8.8")


def forwarded(*lines: tuple[str, str], peer: str = "8.8.8.8", trusted: TrustedProxies = NOBODY) -> list[tuple[str, str]]:
    return list(forwardable(CIMultiDict(lines), peer=peer, trusted=trusted))


def relayed(*lines: tuple[str, str]) -> list[tuple[str, str]]:
    return list(relayable(CIMultiDict(lines)))


@pytest.mark.parametrize(
    "line",
    [
        ("User-Agent", "posthog-python/7.91.1"),
        ("user-agent", "  spaced  inside  "),
        ("Origin", "https://app.example"),
        ("Referer", "https://app.example/page?x=1"),
        ("Sec-Fetch-Mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("Authorization", "Bearer phx_secret"),
        ("X-PostHog-Project-Api-Key", "phc_project"),
        ("If-None-Match", 'W/"abc"'),
        ("Content-Type", "text/plain"),
        ("Content-Encoding", "gzip"),
        ("Accept-Encoding", "gzip, deflate"),
        ("X-Request-Id", "0c6f"),
        ("X-Unknown", "grün"),
    ],
)
def test_lines_that_may_change_the_answer_pass_as_they_came(line: tuple[str, str]) -> None:
    assert forwarded(line) == [line, OURS]


def test_what_the_client_left_out_stays_out() -> None:
    assert forwarded() == [OURS]


def test_order_and_repetition_are_kept() -> None:
    lines = [("X-B", "1"), ("X-A", "2"), ("x-b", "3"), ("X-A", "2")]
    assert forwarded(*lines) == [*lines, OURS]


@pytest.mark.parametrize("name", sorted(REQUEST_DROPPED - {"x-forwarded-for"}))
def test_request_lines_of_the_table_stay_here(name: str) -> None:
    assert forwarded((name.title(), "1"), ("X-Kept", "1")) == [("X-Kept", "1"), OURS]


@pytest.mark.parametrize("peer", ["8.8.8.8", "10.0.0.1"])
def test_a_client_cannot_say_which_endpoint_was_called(peer: str) -> None:
    assert forwarded(("X-Original-Endpoint", "decide"), ("X_Original_Endpoint", "decide"), peer=peer, trusted=BALANCERS) == [
        ("X-Forwarded-For", peer)
    ]


def test_lines_named_by_connection_stay_here() -> None:
    lines = [
        ("Connection", "keep-alive, X-Once"),
        ("X-Once", "1"),
        ("connection", "x-twice"),
        ("X-Twice", "1"),
        ("X-Kept", "1"),
    ]
    assert forwarded(*lines) == [("X-Kept", "1"), OURS]


def test_connection_cannot_take_away_the_client_address() -> None:
    assert forwarded(("Connection", "X-Forwarded-For")) == [OURS]


@pytest.mark.parametrize(
    "name", ["X-Real-IP", "Forwarded", "True-Client-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "CF-Connecting-IP"]
)
def test_address_claims_count_from_trusted_peers_only(name: str) -> None:
    assert forwarded((name, "6.6.6.6")) == [OURS]
    trusted = forwarded((name, "8.8.8.8"), peer="10.0.0.1", trusted=BALANCERS)
    assert trusted == [(name, "8.8.8.8"), ("X-Forwarded-For", "10.0.0.1")]


@pytest.mark.parametrize("peer", ["8.8.8.8", "10.0.0.1"])
@pytest.mark.parametrize("name", ["X_Forwarded_For", "x_real_ip", "X_FORWARDED_HOST"])
def test_disguised_address_claims_never_pass(name: str, peer: str) -> None:
    assert forwarded((name, "6.6.6.6"), peer=peer, trusted=BALANCERS) == [("X-Forwarded-For", peer)]


def test_a_chain_from_a_trusted_peer_is_continued() -> None:
    lines = forwarded(("X-Forwarded-For", "6.6.6.6, 8.8.8.8"), peer="10.0.0.1", trusted=BALANCERS)
    assert lines == [("X-Forwarded-For", "8.8.8.8, 10.0.0.1")]
    assert client_address(tuple(lines)) == "8.8.8.8"


def test_a_unix_socket_has_no_client_address() -> None:
    assert forwarded(("X-Kept", "1"), peer="") == [("X-Kept", "1")]
    assert client_address((("X-Kept", "1"),)) == ""
    assert client_address(()) == ""


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "caf\udce9"])
def test_a_value_that_is_no_line_is_dropped_whole(value: str) -> None:
    assert forwarded(("X-Odd", value), ("X-Kept", "1")) == [("X-Kept", "1"), OURS]
    assert relayed(("X-Odd", value), ("X-Kept", "1")) == [("X-Kept", "1")]


def test_cookies_and_baggage_pass_when_the_table_says_so() -> None:
    lines = CIMultiDict([("Cookie", "a=1"), ("baggage", "b=2"), ("TE", "trailers")])
    kept = forwardable(lines, peer="8.8.8.8", trusted=NOBODY, dropped=REQUEST_DROPPED - COOKIES - BAGGAGE)
    assert kept == (("Cookie", "a=1"), ("baggage", "b=2"), OURS)


@pytest.mark.parametrize("name", sorted(RESPONSE_DROPPED))
def test_response_lines_of_the_table_stay_here(name: str) -> None:
    assert relayed((name.title(), "1"), ("ETag", 'W/"1"')) == [("ETag", 'W/"1"')]


def test_answers_keep_etag_type_and_caching_as_they_came() -> None:
    lines = [
        ("content-type", "application/json"),
        ("etag", 'W/"0123456789abcdef"'),
        ("cache-control", "private, must-revalidate"),
        ("X-PostHog-Rate-Limit-Warning", "true"),
        ("content-encoding", "gzip"),
    ]
    assert relayed(*lines) == lines


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["origin, access-control-request-method, access-control-request-headers"], []),
        (["Origin"], []),
        (["Accept-Encoding, Origin"], [("Vary", "Accept-Encoding")]),
        (["Accept-Encoding", "Origin", "Accept"], [("Vary", "Accept-Encoding, Accept")]),
        (["*"], [("Vary", "*")]),
        ([""], []),
    ],
)
def test_vary_loses_what_only_cors_put_there(values: list[str], kept: list[tuple[str, str]]) -> None:
    assert relayed(*(("Vary", value) for value in values), ("X-Empty", "")) == [("X-Empty", ""), *kept]


def test_upstreams_own_cors_stands_when_the_table_keeps_it() -> None:
    lines = CIMultiDict([("Access-Control-Allow-Origin", "https://one.example"), ("Vary", "Origin")])
    assert relayable(lines, dropped=RESPONSE_DROPPED - CORS_ANSWERS) == tuple(lines.items())


NAMES = st.one_of(
    st.sampled_from(sorted(REQUEST_DROPPED | RESPONSE_DROPPED)),
    st.sampled_from(
        ["X-Forwarded-For", "x-forwarded-FOR", "X-Real-IP", "Forwarded", "Connection", "X-Named", "User-Agent", "Origin"]
    ),
    st.text("abcXYZ-09_", min_size=1, max_size=12),
)
VALUES = st.one_of(
    st.sampled_from(["6.6.6.6", "close", "X-Named, user-agent", "keep-alive", "for=6.6.6.6"]),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=12)


@given(LINES)
def test_no_hop_by_hop_line_and_no_foreign_address_leaves(lines: list[tuple[str, str]]) -> None:
    kept = forwarded(*lines)
    names = [name.lower() for name, _ in kept]
    assert not HOP_BY_HOP.intersection(names)
    assert names.count("x-forwarded-for") == 1
    assert kept[-1] == OURS
    assert not {"x-real-ip", "forwarded", "x-forwarded-host"}.intersection(names)


@given(LINES)
def test_what_leaves_came_in_that_order_and_is_one_line_each(lines: list[tuple[str, str]]) -> None:
    for kept in (forwarded(*lines)[:-1], [line for line in relayed(*lines) if line[0] != "Vary"]):
        came = iter(lines)
        assert all(line in came for line in kept)
        assert not any(breaker in value for _, value in kept for breaker in "\r\n\0")


@given(LINES, st.sampled_from(["X-Named", "user-agent", "Origin"]))
def test_named_lines_never_leave(lines: list[tuple[str, str]], name: str) -> None:
    kept = forwarded(*lines, ("Connection", name))
    assert name.lower() not in [left.lower() for left, _ in kept]


@pytest.mark.parametrize("name", ["Strict-Transport-Security", "Clear-Site-Data", "Alt-Svc", "NEL", "Report-To"])
def test_what_upstream_claims_for_its_own_host_does_not_bind_ours(name: str) -> None:
    assert relayable(CIMultiDict({name: "x", "ETag": '"1"'})) == (("ETag", '"1"'),)
