"""Bad input as bytes: what is sent, what may come back, and which requests upstream may see because of it.

Every row carries canaries (a token, a person, a header value): none may show up in any log line.
"""

from __future__ import annotations

import gzip
import zlib
from typing import NamedTuple

CANARY = "CANARY7f3e"
TOKEN = f"phc_{CANARY}"


class Row(NamedTuple):
    """One client's bytes.

    Attributes:
        name: What is wrong.
        raw: Everything the client sends before it ends its side.
        statuses: The answers, in order; a set allows alternatives.
        upstream: The requests that upstream sees, as (method, target).
    """

    name: str
    raw: bytes
    statuses: list[set[int]]
    upstream: list[tuple[str, str]]


def http(method: str, target: str, *lines: str, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    head = [f"{method} {target} {version}", "Host: a", f"X-Seen: {CANARY}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def flags(body: bytes, *lines: str, target: str = "/flags/?v=2") -> bytes:
    return http("POST", target, f"Content-Length: {len(body)}", *lines, body=body)


def chunked(body: bytes, target: str = "/e/") -> bytes:
    return http("POST", target, "Transfer-Encoding: chunked", body=body)


GOOD = flags(b'{"token":"%s","distinct_id":"%s"}' % (TOKEN.encode(), CANARY.encode()))
POSTED = [("POST", "/flags/?v=2")]
REFUSED = [{400}]


def bomb(size_mib: int = 200) -> bytes:
    """Return 190 KB of gzip that stand for 200 MB, made without ever holding them."""
    press = zlib.compressobj(9, wbits=31)
    return b"".join(press.compress(bytes(1 << 20)) for _ in range(size_mib)) + press.flush()


BOMB = bomb()

# Bodies the service refuses itself: forwarded as they came, answered in the service's own words.
BODIES = [
    Row("no body", flags(b""), [{400}], POSTED),
    Row("not JSON", flags(b"\xff\x00 %s" % CANARY.encode()), [{400}], POSTED),
    Row("half JSON", flags(b'{"token":"%s","distinct_id":' % TOKEN.encode()), [{400}], POSTED),
    Row("a list", flags(b'["%s"]' % CANARY.encode()), [{400}], POSTED),
    Row("a number", flags(b"7"), [{400}], POSTED),
    Row("no token", flags(b'{"distinct_id":"%s"}' % CANARY.encode()), [{401}], POSTED),
    Row("unknown token", GOOD, [{401}], POSTED),
    Row("token of a wrong type", flags(b'{"token":7,"distinct_id":"%s"}' % CANARY.encode()), [{400}], POSTED),
    Row("person of a wrong type", flags(b'{"token":"%s","distinct_id":{}}' % TOKEN.encode()), [{400}], POSTED),
    Row("groups of a wrong type", flags(b'{"token":"%s","distinct_id":"a","groups":[1]}' % TOKEN.encode()), [{400}], POSTED),
    Row("two aliases at once", flags(b'{"token":"%s","api_key":"b","distinct_id":"a"}' % TOKEN.encode()), [{400, 401}], POSTED),
    Row("deep nesting", flags(b"[" * 50_000), [{400}], POSTED),
    Row("huge number", flags(b'{"token":"%s","distinct_id":%s}' % (TOKEN.encode(), b"9" * 5000)), [{400, 401}], POSTED),
    Row("lone surrogate", flags(b'{"token":"%s","distinct_id":"\\ud800"}' % TOKEN.encode()), [{400, 401}], POSTED),
    Row("NUL in a name", flags(b'{"token":"%s","distinct_id":"\\u0000"}' % TOKEN.encode()), [{400, 401}], POSTED),
    Row("media type", flags(b"{}", "Content-Type: application/xml"), [{400}], POSTED),
    Row("gzip that is none", flags(b"%s" % CANARY.encode(), "Content-Encoding: gzip"), [{400}], POSTED),
    Row("cut gzip", flags(gzip.compress(b"{}" * 100)[:-20], "Content-Encoding: gzip"), [{400}], POSTED),
    Row(
        "unknown compression",
        flags(b"{}", target="/flags/?v=2&compression=lz64"),
        [{400}],
        [("POST", "/flags/?v=2&compression=lz64")],
    ),
    Row("bad query", flags(b"{}", target="/flags/?_=abc"), [{400}], [("POST", "/flags/?_=abc")]),
    Row("definitions without a token", http("GET", "/flags/definitions"), [{400}], [("GET", "/flags/definitions")]),
    Row("gzip bomb", flags(BOMB, "Content-Encoding: gzip"), [{413}], []),
    Row("gzip bomb without a label", flags(BOMB, "Content-Type: text/plain"), [{413}], []),
    Row("bomb in a bomb", flags(gzip.compress(BOMB), "Content-Encoding: gzip"), [{400}], POSTED),
    Row("oversized", flags(bytes(2 * 1024 * 1024 + 1)), [{413}], []),
    Row("oversized by its own word", http("POST", "/flags/", f"Content-Length: {1 << 62}", body=b"x"), [{413}], []),
    Row(
        "oversized in chunks",
        http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"200001\r\n" + bytes(0x200001) + b"\r\n0\r\n\r\n"),
        [{413}],
        [],
    ),
]

# Heads and framing that no proxy may carry on.
FRAMING = [
    Row("nothing", b"", [], []),
    Row("half a request line", f"GET /flags?{CANARY}".encode(), [], []),
    Row("half a head", http("POST", "/flags/", "Content-Length: 5")[:-2], [], []),
    Row("half a body", http("POST", "/flags/", "Content-Length: 50", body=b'{"token":"%s"' % TOKEN.encode()), [], []),
    Row("half a chunk", http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"50\r\nabc"), [], []),
    Row("two lengths", http("POST", "/flags/", "Content-Length: 5", "Content-Length: 6", body=b"hello!"), REFUSED, []),
    Row("the same length twice", http("POST", "/e/", "Content-Length: 5", "Content-Length: 5", body=b"hello"), REFUSED, []),
    Row("a list of lengths", http("POST", "/e/", "Content-Length: 5, 5", body=b"hello"), REFUSED, []),
    Row("a signed length", http("POST", "/e/", "Content-Length: +5", body=b"hello"), REFUSED, []),
    Row("a negative length", http("POST", "/e/", "Content-Length: -5", body=b"hello"), REFUSED, []),
    Row("a hexadecimal length", http("POST", "/e/", "Content-Length: 0x5", body=b"hello"), REFUSED, []),
    Row("an endless length", http("POST", "/e/", "Content-Length: " + "9" * 40, body=b"hello"), REFUSED, []),
    Row(
        "length and chunks",
        http(
            "POST", "/e/", "Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\nGET /e/?smuggled HTTP/1.1\r\n\r\n"
        ),
        REFUSED,
        [],
    ),
    Row(
        "chunks and length",
        http(
            "POST",
            "/e/",
            "Transfer-Encoding: chunked",
            "Content-Length: 44",
            body=b"0\r\n\r\nGET /e/?smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        REFUSED,
        [],
    ),
    Row("unknown coding", http("POST", "/e/", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), REFUSED, []),
    Row("coding twice", http("POST", "/e/", "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), REFUSED, []),
    Row(
        "two coding lines",
        http("POST", "/e/", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n"),
        REFUSED,
        [],
    ),
    Row("chunked inside out", http("POST", "/e/", "Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"), REFUSED, []),
    Row("gzip coding", http("POST", "/e/", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), REFUSED, []),
    Row(
        "chunks in HTTP/1.0",
        http("POST", "/e/", "Transfer-Encoding: chunked", body=b"0\r\n\r\n", version="HTTP/1.0"),
        REFUSED,
        [],
    ),
    Row("coding with a tab", http("POST", "/e/", "Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"), REFUSED, []),
    Row("bad chunk size", http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n0\r\n\r\n"), REFUSED, []),
    Row("negative chunk", http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"-5\r\nhello\r\n0\r\n\r\n"), REFUSED, []),
    Row("endless chunk", http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"f" * 20 + b"\r\nhello"), REFUSED, []),
    Row(
        "chunk without its end",
        http("POST", "/flags/", "Transfer-Encoding: chunked", body=b"5\r\nhelloX\r\n0\r\n\r\n"),
        REFUSED,
        [],
    ),
    Row("folded line", b"GET /e/ HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c: %s\r\n\r\n" % CANARY.encode(), REFUSED, []),
    Row("space before the colon", b"GET /e/ HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", REFUSED, []),
    Row("line without a colon", b"GET /e/ HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % CANARY.encode(), REFUSED, []),
    Row("line without a name", b"GET /e/ HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", REFUSED, []),
    Row("bare line feeds", b"GET /e/ HTTP/1.1\nHost: a\n\n", REFUSED, []),
    Row("bare carriage return", b"GET /e/ HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n", REFUSED, []),
    Row("NUL in a value", b"GET /e/ HTTP/1.1\r\nHost: a\r\nX-A: b\0%s\r\n\r\n" % CANARY.encode(), REFUSED, []),
    Row("NUL in a name", b"GET /e/ HTTP/1.1\r\nHost: a\r\nX\0A: b\r\n\r\n", REFUSED, []),
    Row("NUL in the target", b"GET /e/\0 HTTP/1.1\r\nHost: a\r\n\r\n", REFUSED, []),
    Row("no host", b"GET /e/ HTTP/1.1\r\n\r\n", REFUSED, []),
    Row("two hosts", b"GET /e/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", REFUSED, []),
    Row("long line", http("GET", "/e/", "X-A: " + "a" * 20_000), [{431}], []),
    Row("long name", http("GET", "/e/", "a" * 20_000 + ": b"), [{431}], []),
    Row("long target", http("GET", "/e/?" + "a" * 20_000), [{431}], []),
    Row("too many lines", http("GET", "/e/", *[f"X-{number}: a" for number in range(200)]), REFUSED, []),
    Row("long head", http("GET", "/e/", *["X-A: " + "a" * 200] * 100), [{431}], []),
    Row("old version", b"GET /e/\r\n\r\n", [{505}], []),
    Row("new version", http("GET", "/e/", version="HTTP/2.0"), [{505}], []),
    Row("no version", http("GET", "/e/", version="HTTP/x"), REFUSED, []),
    Row("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED, []),
    Row("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", REFUSED, []),
    Row("tunnel", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", REFUSED, []),
    Row("unknown method", http("EVIL", "/e/"), REFUSED, []),
    Row("no method", b" /e/ HTTP/1.1\r\nHost: a\r\n\r\n", REFUSED, []),
    Row("noise", bytes(range(256)) * 8, REFUSED, []),
]

GET_E = http("GET", "/e/")
PIPELINES = [
    Row("three at once", GET_E * 3, [{200}] * 3, [("GET", "/e/")] * 3),
    Row("a body and the next", flags(b"7") + GET_E, [{400}, {200}], [*POSTED, ("GET", "/e/")]),
    # The parser drops what it read before the fault in one segment: a little strict, and upstream sees none of it.
    Row("good then bad", GET_E + b"EVIL\r\n\r\n" + GET_E, REFUSED, []),
    Row("a request as a body", http("POST", "/e/", f"Content-Length: {len(GET_E)}", body=GET_E), [{200}], [("POST", "/e/")]),
    Row("a request in a chunk", chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(GET_E), GET_E)), [{200}], [("POST", "/e/")]),
    Row("a request behind a trailer", chunked(b"0\r\nX: y\r\n\r\n") + GET_E, [{200}] * 2, [("POST", "/e/"), ("GET", "/e/")]),
    Row("a request as a trailer", chunked(b"0\r\n" + GET_E + b"\r\n"), REFUSED, []),
    Row("a body with GET", http("GET", "/e/", f"Content-Length: {len(GET_E)}", body=GET_E), [{200}], [("GET", "/e/")]),
    Row("a request behind a refused body", http("POST", "/flags/", f"Content-Length: {3 << 20}") + GET_E, [{413}], []),
    Row("a request behind an upgrade", http("GET", "/e/", "Connection: Upgrade", "Upgrade: websocket") + GET_E, [{400}], []),
    Row("a line break in the target", http("GET", "/e/?a%0d%0aX-Evil:%201"), [{200}], [("GET", "/e/?a%0d%0aX-Evil:%201")]),
    Row("another host", http("GET", "http://evil.example/e/?x"), [{200}], [("GET", "/e/?x")]),
]  # fmt: skip
