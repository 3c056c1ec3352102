"""Compressed answers, which upstream gives although nobody asked for one: unpacked for the line, left alone by a pure relay."""

from __future__ import annotations

from typing import Final

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.intake.body import Trouble as BodyTrouble
from proxy.answer.intake.body import gunzip

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_ENCODING: Final = "content-encoding"


def unpacked(answer: Whole, *, limit: int) -> Whole | Failure:
    """Return an answer with its body in the clear; a `Failure` when it does not inflate, or to more than `limit` bytes."""
    if not answer.body or not _is_gzip(answer):
        return answer
    text = gunzip(answer.body, limit=limit)
    if isinstance(text, BodyTrouble):
        return Failure(trouble=Trouble.MALFORMED, status=answer.status)
    lines = tuple(line for line in answer.headers if line[0].lower() != _ENCODING)
    return Whole(answer.status, answer.content_type, text, lines)


def _is_gzip(answer: Whole) -> bool:
    for name, value in answer.headers:
        if len(name) == len(_ENCODING) and name.lower() == _ENCODING:
            return value.strip().lower() in _GZIP
    return False
