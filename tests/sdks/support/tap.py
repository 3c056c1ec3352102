"""A TCP relay that writes down what passes: the SDK and the proxy talk to each other, byte for byte, and the test can look.

`exchanges()` cuts the recorded streams into requests and answers, in order per connection.
"""

import contextlib
import itertools
import re
import socket
import threading
from typing import NamedTuple
from urllib.parse import urlsplit


class Message(NamedTuple):
    """One request or answer as it passed: first line, headers with lower-case names, body without its framing."""

    first_line: str
    headers: dict[str, str]
    body: bytes


class Exchange(NamedTuple):
    """A request, and its answer once it is complete."""

    request: Message
    answer: Message


class Stream:
    """What passed in one direction of one connection, and when each piece did."""

    def __init__(self):
        self.passed = bytearray()
        self.pieces = []  # (bytes passed so far, number of the piece among all pieces of the tap)

    def messages(self):
        """Return the complete messages, each with the number of the piece that completed it."""
        ends = [(end, message) for message, end in cut(bytes(self.passed))]
        return [(next(number for so_far, number in self.pieces if so_far >= end), message) for end, message in ends]


class Tap:
    """Listens on a free port and relays to the target's host and port."""

    def __init__(self, target: str):
        parts = urlsplit(target)
        self.target = (parts.hostname, parts.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        self.connections: list[tuple[Stream, Stream]] = []
        self.open: set[socket.socket] = set()
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def exchanges(self, path=""):
        """Return the complete exchanges whose request line names the path, in the order in which they were completed."""
        with self.lock:
            paired = [pair for up, down in self.connections for pair in zip(up.messages(), down.messages(), strict=False)]
        paired.sort(key=lambda pair: pair[1][0])
        return [Exchange(asked, told) for (_, asked), (_, told) in paired if path in asked.first_line]

    def last(self, path):
        return self.exchanges(path)[-1]

    def close(self):
        """End every connection, and wait until nothing of the tap is left."""
        _shut(self.listener)
        self.threads[0].join()
        self.listener.close()
        with self.lock:
            for end in self.open:
                _shut(end)
        for thread in self.threads[1:]:
            thread.join()

    def _accept(self):
        with contextlib.suppress(OSError):  # the listener was shut
            while True:
                client, _ = self.listener.accept()
                self.threads.append(threading.Thread(target=self._relay, args=(client,)))
                self.threads[-1].start()

    def _relay(self, client):
        record = (Stream(), Stream())
        with client, socket.create_connection(self.target) as upstream:
            with self.lock:
                self.open |= {client, upstream}
                self.connections.append(record)
            back = threading.Thread(target=self._pump, args=(upstream, client, record[1]))
            back.start()
            self._pump(client, upstream, record[0])
            back.join()
            with self.lock:
                self.open -= {client, upstream}

    def _pump(self, source, sink, record):
        try:
            while data := source.recv(65536):
                with self.lock:
                    record.passed += data
                    record.pieces.append((len(record.passed), next(self.numbers)))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _shut(source)
            _shut(sink)


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def messages(stream: bytes):
    """Cut a byte stream into its complete HTTP/1.1 messages."""
    return [message for message, _ in cut(stream)]


def cut(stream: bytes):
    """Yield each complete message with the offset of its end."""
    start = 0
    while (head_end := stream.find(b"\r\n\r\n", start)) >= 0:
        first_line, *lines = stream[start:head_end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        framed = _body(first_line, headers, stream[head_end + 4 :])
        if framed is None:
            break
        body, rest = framed
        start = len(stream) - len(rest)
        yield Message(first_line, headers, body), start


def _body(first_line, headers, rest):
    """Return the body and what follows it; None while it is incomplete."""
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(rest)
    length = 0 if re.match(r"HTTP/1.1 (204|304)", first_line) else int(headers.get("content-length", 0))
    return (rest[:length], rest[length:]) if len(rest) >= length else None


def _chunks(rest):
    body = b""
    while (line_end := rest.find(b"\r\n")) >= 0:
        size = int(rest[:line_end].split(b";")[0], 16)
        start = line_end + 2
        if len(rest) < start + size + 2:
            return None
        body += rest[start : start + size]
        rest = rest[start + size + 2 :]
        if size == 0:
            return body, rest
    return None
