"""Second tries: which failures are worth one, and how many the traffic may buy.

A retry must never turn a struggling upstream into a drowning one: at most one for a call, at most a tenth of the traffic, none
for a probe or on the ramp, and none that the deadline leaves no time for.
"""

from __future__ import annotations

from typing import Final

from proxy.answer.answer import Failure, Trouble

from .outcomes import OUR_BAD_STATUSES

PRICE: Final = 10
"""First tries that buy one retry: retries are at most a tenth of them."""

RESERVE: Final = 10
"""Most retries that a quiet stretch can save up."""

_NO_CONNECTION: Final = frozenset({Trouble.REFUSED, Trouble.DNS, Trouble.RESET, Trouble.CONNECT_TIMEOUT})
"""Not `TLS`: a certificate that does not fit will not fit a moment later."""


def is_worth_another(failure: Failure) -> bool:
    """Tell whether a second try can be expected to do better: no byte of an answer came, or a gateway answered for upstream."""
    return (failure.no_byte_received and failure.trouble in _NO_CONNECTION) or failure.status in OUR_BAD_STATUSES


def died_in_the_pool(failure: Failure | None) -> bool:
    """Tell whether a pooled connection had been closed under the request: nobody's fault, and no news of upstream."""
    return failure is not None and failure.trouble is Trouble.RESET and failure.no_byte_received


class RetryBudget:
    """A purse: each first try puts a coin in, each retry takes `PRICE` out.

    Attributes:
        spent: Retries made.
        denied: Retries not made because the purse was empty.
    """

    def __init__(self) -> None:
        self._coins = PRICE  # so that the very first dead connection is retried, too
        self.spent = 0
        self.denied = 0

    def deposit(self) -> None:
        """Count a first try."""
        if self._coins < RESERVE * PRICE:
            self._coins += 1

    def withdraw(self) -> bool:
        """Tell whether one retry may be made, and pay for it."""
        if self._coins < PRICE:
            self.denied += 1
            return False
        self._coins -= PRICE
        self.spent += 1
        return True
