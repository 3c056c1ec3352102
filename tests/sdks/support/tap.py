"""A TCP relay that writes down what passes: the SDK and the proxy talk to each other, byte for byte, and the test can look.

`exchanges()` cuts the recorded streams into requests and answers, in order per connection.
"""

import contextlib
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


class Tap:
    """Listens on a free port and relays to the target's host and port."""

    def __init__(self, target: str):
        parts = urlsplit(target)
        self.target = (parts.hostname, parts.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        self.connections: list[tuple[bytearray, bytearray]] = []
        self.open: set[socket.socket] = set()
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def exchanges(self, path=""):
        """Return the complete exchanges whose request line names the path, oldest connection first."""
        with self.lock:
            recorded = [(bytes(up), bytes(down)) for up, down in self.connections]
        pairs = [pair for up, down in recorded for pair in zip(messages(up), messages(down), strict=False)]
        return [Exchange(*pair) for pair in pairs if path in pair[0].first_line]

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
        record = (bytearray(), bytearray())
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
                    record += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _shut(source)
            _shut(sink)


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def messages(stream: bytes):
    """Cut a recorded stream into complete HTTP/1.1 messages."""
    found = []
    while (head_end := stream.find(b"\r\n\r\n")) >= 0:
        first_line, *lines = stream[:head_end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        framed = _body(first_line, headers, stream[head_end + 4 :])
        if framed is None:
            break
        body, stream = framed
        found.append(Message(first_line, headers, body))
    return found


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
