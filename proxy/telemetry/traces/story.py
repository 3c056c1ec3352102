"""What a span tells of a flag request: the decision as attributes, the way there as events. Pure; one place, one vocabulary.

Everything is a closed vocabulary, a number, or a configured name. The one exception are flag keys, which the events of an
assembled answer list by source: they are in no attribute, no metric and no header. No token, identity, property, address or
URL is ever among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from proxy.answer.answer import Answer, Assembled, Failure, Source, Trouble, Whole
from proxy.answer.request import FlagsRequest

from .span import Attributes, Event, Value

KEYS_TOLD: Final = 64
"""Of one source, in one event; the count is always told."""
NOTES: Final = frozenset({"judge", "hysteresis", "would.source", "would.trouble", "would.status", "would.differs"})
"""Notes of later stages that are told; what another calls itself is not."""
KEYS: Final = frozenset({
    "http.request.method", "http.route", "http.response.status_code", "url.scheme", "url.path", "error.type",
    "holdfast.project", "holdfast.upstream", "holdfast.source", "holdfast.flight", "holdfast.stored", "holdfast.age_s",
    "holdfast.forward", "holdfast.definitions.generation", "holdfast.failure", "holdfast.received_status",
    "holdfast.retry_after_s", "holdfast.use", "holdfast.rung", "holdfast.filled", "holdfast.flags", "holdfast.keys",
    *(f"holdfast.note.{note}" for note in NOTES),
})  # fmt: skip
"""Every attribute of spans and their events: the list that otel-collector.yaml lets through."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
OTHER_METHOD: Final = "_OTHER"
BROKE_OFF: Final = "broke_off"
_ERROR: Final = 500
_REFUSED: Final = 400
"""The convention: to a client span 4xx is an error, too."""
_AT_OUR_DOOR: Final[Mapping[Trouble, str]] = {Trouble.BREAKER_OPEN: "holdfast.breaker.open", Trouble.SHED: "holdfast.shed"}
_RUNGS: Final[Mapping[str, Source]] = {"stale": Source.STALE, "local": Source.LOCAL, "configured": Source.CONFIGURED}
_PLAIN: Final = (str, bool, int, float)


def name_of(request: FlagsRequest) -> str:
    """Return the server span's name: method and route."""
    return f"{method_of(request.method)} /{request.family}"


def method_of(method: str) -> str:
    """Return a request's method, where it is one: callers may write what they like there."""
    return method if method in METHODS else OTHER_METHOD


def is_error(answer: Answer) -> bool:
    """Tell whether the caller got a server error (the convention's word for a server span)."""
    return answer.content.status >= _ERROR


def decision(request: FlagsRequest, answer: Answer, *, generation: int | None) -> Attributes:
    """Return the server span's attributes."""
    told: Attributes = {
        "http.request.method": method_of(request.method),
        "http.route": f"/{request.family}",
        "url.scheme": "http",
        "url.path": request.path,
        "http.response.status_code": answer.content.status,
        "holdfast.project": str(request.project),
        "holdfast.upstream": str(request.upstream),
        "holdfast.source": str(answer.source),
        "holdfast.flight": "joined" if answer.joined else "own",
        "holdfast.stored": answer.stored,
    }
    if answer.source not in {Source.UPSTREAM, Source.NONE}:
        told["holdfast.age_s"] = round(answer.age_s, 3)
    if answer.forward is not None:
        told["holdfast.forward"] = str(answer.forward)
    if generation is not None:
        told["holdfast.definitions.generation"] = generation
    if answer.failure is not None:
        told |= _failure(answer.failure)
    if is_error(answer):
        told["error.type"] = str(answer.content.status if answer.failure is None else answer.failure.trouble)
    return told | _notes(answer)


def way(request: FlagsRequest, answer: Answer, *, at_ns: int) -> list[Event]:
    """Return the server span's events: what kept upstream's answer away, each rung that was tried, and what it gave."""
    return list(_way(request, answer, at_ns))


def exchange(upstream: str, method: str, result: Whole | Failure) -> Attributes:
    """Return a client span's attributes."""
    told: Attributes = {"http.request.method": method_of(method), "holdfast.upstream": upstream}
    if result.status is not None:
        told["http.response.status_code"] = result.status
    if isinstance(result, Failure):
        return told | {"error.type": str(result.trouble)}
    if result.status >= _REFUSED:
        told["error.type"] = str(result.status)
    return told


class Handed(Protocol):
    """What an exchange that is not decided is for, and whom it asks."""

    @property
    def use(self) -> str: ...
    @property
    def upstream(self) -> str: ...
    @property
    def project(self) -> str: ...


def handed_on(method: str, whither: Handed, status: int | None, trouble: str) -> Attributes:
    """Return the attributes of a client span of something handed on; `trouble`: why there was no answer, or not all of it."""
    told = _handed(method, whither, status)
    if trouble:
        told["error.type"] = trouble
    elif status is not None and status >= _REFUSED:
        told["error.type"] = str(status)
    return told


def passed(method: str, whither: Handed, status: int | None) -> Attributes:
    """Return the attributes of the server span above it; `status` None: the request broke off."""
    told = {**_handed(method, whither, status), "url.scheme": "http"}
    if status is None or status >= _ERROR:
        told["error.type"] = BROKE_OFF if status is None else str(status)
    return told


def _handed(method: str, whither: Handed, status: int | None) -> Attributes:
    told: Attributes = {
        "http.request.method": method_of(method), "holdfast.use": whither.use, "holdfast.upstream": whither.upstream,
    }  # fmt: skip
    if whither.project:
        told["holdfast.project"] = whither.project
    if status is not None:
        told["http.response.status_code"] = status
    return told


def _failure(failure: Failure) -> Attributes:
    told: Attributes = {"holdfast.failure": str(failure.trouble)}
    if failure.status is not None:
        told["holdfast.received_status"] = failure.status
    if failure.retry_after_s is not None:
        told["holdfast.retry_after_s"] = round(failure.retry_after_s, 3)
    return told


def _notes(answer: Answer) -> Attributes:
    told: Attributes = {}
    for name, value in answer.notes.items():
        parts = value.items() if isinstance(value, Mapping) else (("", value),)
        for part, what in parts:
            note = f"{name}.{part}" if part else name
            if note in NOTES and (text := _plain(what)) is not None:
                told[f"holdfast.note.{note}"] = text
    return told


def _plain(value: Any) -> Value | None:
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    return str(value) if isinstance(value, str) else None  # members of our enums; nothing else is asked to print itself


def _way(request: FlagsRequest, answer: Answer, at_ns: int) -> Iterator[Event]:
    if answer.failure is None:
        return
    yield Event(_AT_OUR_DOOR.get(answer.failure.trouble, "holdfast.upstream.failed"), at_ns, _failure(answer.failure))
    given = _given(answer)
    for rung in request.policy.rungs:
        source = _RUNGS.get(rung)
        has_filled = source in given
        yield Event("holdfast.rung", at_ns, {"holdfast.rung": rung, "holdfast.filled": has_filled})
        if has_filled and not _is_composed(answer):
            break
    yield from _flags(answer, at_ns)


def _is_composed(answer: Answer) -> bool:
    """Tell whether its records came from several places; a remembered answer is whole, marked or not."""
    return isinstance(answer.content, Assembled) and bool(answer.content.sources)


def _given(answer: Answer) -> frozenset[Source]:
    if isinstance(answer.content, Assembled) and answer.content.sources:
        return frozenset(answer.content.sources.values())
    return frozenset({answer.source})


def _flags(answer: Answer, at_ns: int) -> Iterator[Event]:
    if not isinstance(answer.content, Assembled):
        return
    by_source: dict[Source, list[str]] = {}
    for key, source in answer.content.sources.items():
        by_source.setdefault(source, []).append(key)
    for source, keys in by_source.items():
        told: Attributes = {"holdfast.source": str(source), "holdfast.flags": len(keys), "holdfast.keys": keys[:KEYS_TOLD]}
        yield Event("holdfast.assembled", at_ns, told)
