"""What an upstream says beside its status is taken for what it is, however odd."""

from __future__ import annotations

import pytest

from proxy.answer.answer import Trouble, Whole
from proxy.upstream.outcomes import failure


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("0", 0.0), ("999999", 86_400.0), ("9" * 5000, None), ("-1", None), ("1.5", None), ("Mon, 1 Jan", None)],
)
def test_a_retry_after_is_whole_seconds_of_at_most_a_day_or_nothing(said: str, seconds: float | None) -> None:
    answer = Whole(503, "text/plain", b"", (("Retry-After", said),))
    assert failure(answer, Trouble.STATUS).retry_after_s == seconds
