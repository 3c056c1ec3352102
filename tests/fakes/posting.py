"""A post that keeps the spans it is given, and a line that is watched."""

from __future__ import annotations

from collections import Counter

from proxy.telemetry.traces.span import Span, decode, encode


class FakePost:
    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.spans: list[Span] = []

    def send(self, span: Span) -> None:
        self.fates["sent"] += 1
        self.spans.append(decode(encode(span)))

    def close(self) -> None:
        self.spans.clear()
