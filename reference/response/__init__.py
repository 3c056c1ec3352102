"""Response shapes of the flag service: the only place where they live (contract §3).

Write: `render` (records or outcomes → bytes), `render_again` (an answer that was read), `mini_answer`, `error_answer`.
Read: `read` (bytes → `ReadAnswer` or `Unreadable`). Decide: `choose_shape`. Pure: request id and time come in as arguments.
"""

from __future__ import annotations

from .config import FEATURE_FLAGS, RECORDINGS, fallback_config, merge_config, mini_answer, quota_envelope
from .errors import ERRORS, ErrorAnswer, Refusal, error_answer, json_error, text_error
from .read import Unreadable, read
from .record import Envelope, ReadAnswer, Record, record_of, records_of
from .render import Printed, render, render_again
from .shape import DECIDE_HEADER, Asked, Shape, choose_shape, read_flag, read_version

__all__ = [
    "DECIDE_HEADER",
    "ERRORS",
    "FEATURE_FLAGS",
    "RECORDINGS",
    "Asked",
    "Envelope",
    "ErrorAnswer",
    "Printed",
    "ReadAnswer",
    "Record",
    "Refusal",
    "Shape",
    "Unreadable",
    "choose_shape",
    "error_answer",
    "fallback_config",
    "json_error",
    "merge_config",
    "mini_answer",
    "quota_envelope",
    "read",
    "read_flag",
    "read_version",
    "record_of",
    "records_of",
    "render",
    "render_again",
    "text_error",
]
