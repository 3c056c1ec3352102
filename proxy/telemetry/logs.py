"""Logs: JSON lines on standard output, one object a line, redacted by construction.

Only plain values are written: anything else (a `Secret`, a request, a struct) appears as the name of its type and is never
asked to print itself. Exceptions are written as their type and the frames they passed; their messages may quote a caller's data
and are left out. Lines of the standard library's loggers keep their template and lose their arguments. Set up in mains only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

import msgspec
import structlog

from .sink import Sink, opened
from .traces.current import CURRENT

Logger: TypeAlias = structlog.typing.FilteringBoundLogger
_LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_FRAMES: Final = 12
_OURS: Final = "proxy"


class _Lines:
    """A sink in the form that structlog calls: one method a level, all alike."""

    def __init__(self, sink: Sink) -> None:
        self.msg = sink.line

    def __getattr__(self, level: str) -> Callable[[bytes], None]:
        return self.msg


def configure(*, role: str, level: str = "info", descriptor: int | None = None) -> Logger:
    """Set the process's logging up and return its logger, bound to role and pid."""
    lines = _Lines(opened(sys.stdout.fileno() if descriptor is None else descriptor))
    structlog.configure(
        processors=[
            loud_enough,
            structlog.processors.add_log_level,
            traced,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            told_exception,
            only_plain,
            rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS["debug"]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    logger: Logger = structlog.get_logger().bind(role=role, pid=os.getpid())
    logging.getLogger().handlers[:] = [_StandardHandler(logger)]
    set_level(level)
    return logger


def set_level(level: str) -> None:
    """Change the level of the whole process, while it runs too; libraries are heard from `warning` on."""
    logging.getLogger().setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger(_OURS).setLevel(_LEVELS[level])


def watch_loop(loop: asyncio.AbstractEventLoop, logger: Logger) -> None:
    """Log what reaches the event loop's last resort; its own form prints the repr of tasks and their exceptions."""

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        logger.error("loop_trouble", what=context.get("message"), exc_info=context.get("exception"))

    loop.set_exception_handler(tell)


def loud_enough(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is below the level."""
    if _LEVELS.get(method, logging.ERROR) < logging.getLogger(_OURS).level:
        raise structlog.DropEvent
    return event


def traced(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that a line belongs to, where the request behind it is traced."""
    trace = CURRENT.get()
    if trace is not None:
        event["trace_id"], event["span_id"] = trace.trace_id, trace.span_id
    return event


def told_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the exception's type and frames."""
    error = _exception_of(event.pop("exc_info", None))
    if error is not None:
        event["error"] = type(error).__name__
        event["frames"] = _frames(error.__traceback__)
    return event


def only_plain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let plain values through; everything else becomes the name of its type."""
    return {str(key): plain(value) for key, value in event.items()}


def plain(value: Any) -> Any:
    """Return a value that is safe to write: exact plain types, and containers of them."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if kind in {list, tuple}:
        return [plain(each) for each in value]
    if kind is dict:
        return {str(key) if type(key) in _PLAIN else type(key).__name__: plain(each) for key, each in value.items()}
    return f"<{kind.__name__}>"


def rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    """Encode an event, with `timestamp`, `level` and `event` first because people read it too."""
    head = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return msgspec.json.encode({**head, **event})


def _exception_of(value: Any) -> BaseException | None:
    match value:
        case BaseException():
            return value
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exception()
        case _:
            return None


def _frames(trace: TracebackType | None) -> list[str]:
    found = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(trace)]
    return [f"{Path(file).name}:{line} {name}" for file, line, name in found[-_FRAMES:]]


class _StandardHandler(logging.Handler):
    """What aiohttp and asyncio log through the standard library."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        self._logger.log(
            min(record.levelno, logging.ERROR),
            "library",
            library=record.name,
            template=str(record.msg).partition("\n")[0],
            exc_info=record.exc_info,
        )
