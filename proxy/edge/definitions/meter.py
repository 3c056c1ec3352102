"""What the endpoint did, and what it spared upstream: plain counters of one worker, since its start."""

from __future__ import annotations

import msgspec


class Meter(msgspec.Struct):
    """Counters; they only grow.

    Attributes:
        polls: Definitions requests that were ours to answer.
        asked: Of these, requests that went upstream (with the caller's own key).
        controls: Requests made with the proxy's own keys to tell a refusal from an outage.
        documents: Answers with the whole document held.
        not_modified: 304s from the document held.
        unconfirmed: Answers to known keys while upstream could not be asked about them.
        doubted: Refusals of upstream that were not passed on, because nobody's key worked.
        refused: Refusals that were passed on.
        unavailable: 503s of ours.
    """

    polls: int = 0
    asked: int = 0
    controls: int = 0
    documents: int = 0
    not_modified: int = 0
    unconfirmed: int = 0
    doubted: int = 0
    refused: int = 0
    unavailable: int = 0

    def report(self) -> dict[str, int]:
        """Return the counters, and `polls_saved`: what upstream would have got besides."""
        return {**msgspec.to_builtins(self), "polls_saved": self.polls - self.asked - self.controls}
