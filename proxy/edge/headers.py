"""Which header lines pass through, in both directions (RFC 9110 §7.6).

Table lookups on lower-cased names, no regexes: this runs on every request. What is not in a table passes byte for byte and in
order, because it may change the answer (`User-Agent`, `Origin`, `Referer`, `Sec-Fetch-*`); what the client left out stays out.
Refused: hop-by-hop lines and those that `Connection` names, claims about the client's address from untrusted peers, and
values that cannot be written back as one header line.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

from multidict import MultiMapping

from .forwarded import TrustedProxies

HeaderLines: TypeAlias = tuple[tuple[str, str], ...]

HOP_BY_HOP: Final = frozenset({
    "connection", "expect", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
"""`Expect` ends here too: our server answers `100 Continue` itself, and the client library owns framing upstream."""

_ADDRESS_CLAIMS: Final = frozenset({
    "cf-connecting-ip", "fastly-client-ip", "forwarded", "true-client-ip", "x-client-ip", "x-cluster-client-ip",
    "x-envoy-external-address", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip",
})  # fmt: skip

# CGI and WSGI servers read `X_Forwarded_For` and `X-Forwarded-For` as one name: nobody honest sends the former.
_DISGUISED: Final = frozenset(
    name.replace("-", "_") for name in (*_ADDRESS_CLAIMS, "x-forwarded-for", "x-original-endpoint") if "-" in name
)

COOKIES: Final = frozenset({"cookie", "cookie2", "set-cookie", "set-cookie2"})
BAGGAGE: Final = frozenset({"baggage"})

REQUEST_DROPPED: Final = (
    HOP_BY_HOP | COOKIES | BAGGAGE | _DISGUISED | {"content-length", "host", "x-forwarded-for", "x-original-endpoint"}
)
"""Never forwarded by default; `x-forwarded-for` comes back rebuilt."""

CORS_ANSWERS: Final = frozenset({
    "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
    "access-control-allow-origin", "access-control-expose-headers", "access-control-max-age",
})  # fmt: skip

ORIGIN_CLAIMS: Final = frozenset({
    "alt-svc", "clear-site-data", "nel", "report-to", "reporting-endpoints", "strict-transport-security",
})  # fmt: skip
"""Claims about a whole origin: upstream makes them for its own host, and here they would bind the operator's."""

RESPONSE_DROPPED: Final = HOP_BY_HOP | COOKIES | CORS_ANSWERS | ORIGIN_CLAIMS | {"content-length", "date", "server"}
"""Never relayed by default: framing, `Date` and `Server` are the server library's, CORS is ours (`cors`)."""

SKIP_AUTO_HEADERS: Final = frozenset({"Accept", "Accept-Encoding", "Content-Type", "User-Agent"})
"""For `ClientSession.request(skip_auto_headers=…)`: what the client left out must stay out (sdks.md §2.1 item 1)."""

_CORS_VARY: Final = frozenset({"", "origin", "access-control-request-method", "access-control-request-headers"})
_USUAL_CONNECTION: Final[tuple[list[str], ...]] = ([], ["keep-alive"], ["close"])
_NONE: Final[list[str]] = []
_NOTHING: Final[frozenset[str]] = frozenset()


def forwardable(
    headers: MultiMapping[str],
    *,
    peer: str,
    trusted: TrustedProxies,
    dropped: frozenset[str] = REQUEST_DROPPED,
) -> HeaderLines:
    """Return the lines to send upstream, in order; the last one is our `X-Forwarded-For` (absent on a Unix socket).

    `peer` is the socket's other end. A cache key must be made from what this returns, not from what came in: a line that
    `Connection` names never reaches upstream. About 3 µs for a dozen lines.
    """
    if trusted.trusts(peer):
        client = trusted.client(peer, headers.getall("X-Forwarded-For", ()))
    else:
        client, dropped = trusted.client(peer), _and_address_claims(dropped)
    kept = _kept(headers, dropped)
    if client.chain:
        kept.append(("X-Forwarded-For", client.chain))
    return tuple(kept)


def relayable(headers: MultiMapping[str], *, dropped: frozenset[str] = RESPONSE_DROPPED) -> HeaderLines:
    """Return the lines of an upstream answer to hand on, in order, repeated ones repeated.

    The parts of `Vary` that only CORS put there go too: ours replaces them.
    """
    kept = _kept(headers, dropped)
    if "Vary" not in headers or "access-control-allow-origin" not in dropped:
        return tuple(kept)
    return tuple(line for line in kept if line[0].lower() != "vary") + _own_vary(headers)


def client_address(lines: HeaderLines) -> str:
    """Return the client's address as the service will read it from forwarded lines; "" when there is none."""
    name, chain = lines[-1] if lines else ("", "")
    return chain.partition(",")[0] if name == "X-Forwarded-For" else ""


@lru_cache(maxsize=16)  # one entry per table in use
def _and_address_claims(dropped: frozenset[str]) -> frozenset[str]:
    return dropped | _ADDRESS_CLAIMS


def _kept(headers: MultiMapping[str], dropped: frozenset[str]) -> list[tuple[str, str]]:
    named = _named_by_connection(headers)
    if named:
        dropped = dropped | named
    kept = [line for line in headers.items() if line[0].lower() not in dropped]
    return kept if _is_clean("".join([value for _, value in kept])) else [line for line in kept if _is_clean(line[1])]


def _named_by_connection(headers: MultiMapping[str]) -> frozenset[str]:
    values = headers.getall("Connection", _NONE)
    if len(values) <= 1 and values[:1] in _USUAL_CONNECTION:
        return _NOTHING
    return frozenset(option.strip().lower() for value in values for option in value.split(","))


def _is_clean(value: str) -> bool:
    """Tell whether a value survives being written: no line breaks or NUL, and bytes that are UTF-8.

    A header line that is not UTF-8 is dropped whole: the service reads it as absent, and the client library would silently
    write the rest of it.
    """
    if "\r" in value or "\n" in value or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def _own_vary(headers: MultiMapping[str]) -> HeaderLines:
    beyond = _beyond_cors(tuple(headers.getall("Vary")))
    return (("Vary", beyond),) if beyond else ()


@lru_cache(maxsize=256)  # an upstream has a handful of these
def _beyond_cors(values: tuple[str, ...]) -> str:
    fields = (field.strip() for value in values for field in value.split(","))
    return ", ".join(field for field in fields if field.lower() not in _CORS_VARY and _is_clean(field))
