"""The evaluator as a line protocol: one JSON object a line in, one a line out, in order (`python -m reference jsonlines`).

    {"id":1,"op":"describe"}                        → {"id":1,"name":…,"version":…,"capabilities":[…]}
    {"id":2,"op":"load","definitions":{…}}          → {"id":2,"ok":true}
    {"id":3,"op":"evaluate","context":{…},          → {"id":3,"flags":{key:{"status","value","payload",
     "flag_keys"?,"properties_complete"?,               "reason":{"code","condition_index"},"why"?}}}
     "timezone"?,"runtime"?,"evaluation_contexts"?,
     "survey_only"?}
    anything else                                   → {"id":…,"error":{"kind","message"}}

It never dies on a line. Ids are echoed when they can be read (a string, a number, true, false or null), else null. Loading
replaces the definitions; definitions that are refused leave the earlier ones in place. The default is a local evaluator, to
which unsent properties are unknown; `properties_complete` makes it answer as a server would.

A context holds `distinct_id` and, all optional, `person_properties`, `groups`, `group_properties`, `device_id`,
`anon_distinct_id`, `now` (ISO 8601 or Unix seconds; default: this process's clock), `hash_key_overrides` (flag key → hash key),
`memberships` (cohort id → boolean) and `geoip_disabled`.

Who has the capability `clock` answers as of `now` in all it decides. It is optional: a driver that cannot set its SDK's clock
leaves it out, ignores `now`, and is asked nothing that depends on the hour.

Error kinds: `line_too_long`, `bad_json`, `bad_request`, `bad_definitions`, `not_loaded`, `internal`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import BinaryIO, Final

from .definitions.document import MAX_NESTING, decode, nests_deeper_than
from .definitions.errors import DefinitionsError, Flaw
from .definitions.parse import parse_definitions
from .evaluate import Program, compile_definitions
from .json import Json, JsonObject
from .outcome import Outcome, Status
from .reading import read_request

NAME: Final = "holdfast-reference"
CAPABILITIES: Final = (
    *("local_evaluation", "server_evaluation", "payloads", "reasons", "groups", "cohorts", "flag_dependencies"),
    *("memberships", "device_id", "experience_continuity", "holdouts", "early_exit", "enrollment", "timezone"),
    *("property_matching_version", "evaluation_runtime", "evaluation_contexts", "clock"),
)
MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""Longer lines are read past and refused."""

Clock = Callable[[], datetime]


class Refusal(Exception):  # noqa: N818 - an answer on its way out, not an error of the program
    """A line that cannot be carried out: the kind and message of its answer."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


class Session:
    """One conversation: the definitions loaded last, and a clock for requests that name no instant."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._program: Program | None = None
        self._operations: Mapping[Json, Callable[[JsonObject], dict[str, Json]]] = {
            "describe": self._describe,
            "load": self._load,
            "evaluate": self._evaluate,
        }

    def answer(self, line: bytes | None) -> bytes:
        """Answer one line; None stands for one that was too long. Never raises."""
        identity: Json = None
        try:
            request = _read(line)
            identity = _identity(request)
            result = self._carry_out(request)
        except Refusal as refusal:
            result = {"error": {"kind": refusal.kind, "message": refusal.message}}
        except Exception as error:  # noqa: BLE001 - the protocol's promise: every line is answered, and the type tells the bug
            result = {"error": {"kind": "internal", "message": type(error).__name__}}
        return json.dumps({"id": identity, **result}, separators=(",", ":"), allow_nan=False).encode() + b"\n"

    def _carry_out(self, request: JsonObject) -> dict[str, Json]:
        if nests_deeper_than(request, MAX_NESTING + 1):  # the definitions stand one level down
            raise Refusal("bad_request", f"the line nests deeper than {MAX_NESTING + 1} levels")
        name = request.get("op")
        operation = self._operations.get(name) if isinstance(name, str) else None
        if operation is None:
            raise Refusal("bad_request", f"op must be one of {', '.join(map(str, self._operations))}")
        try:
            return operation(request)
        except Flaw as flaw:
            raise Refusal("bad_request", f"{flaw.path} {flaw.message}") from flaw
        except DefinitionsError as error:
            raise Refusal("bad_definitions", str(error)) from error

    def _describe(self, _request: JsonObject) -> dict[str, Json]:
        return {"name": NAME, "version": _version(), "capabilities": list(CAPABILITIES)}

    def _load(self, request: JsonObject) -> dict[str, Json]:
        definitions = request.get("definitions")
        if not isinstance(definitions, dict):
            raise Refusal("bad_definitions", "$.definitions must be a JSON object")
        self._program = compile_definitions(parse_definitions(definitions))
        return {"ok": True}

    def _evaluate(self, request: JsonObject) -> dict[str, Json]:
        if self._program is None:
            raise Refusal("not_loaded", "load definitions first")
        context, now, selection = read_request(request)
        evaluation = self._program.evaluate(context, now=now or self._clock(), selection=selection)
        return {"flags": {key: _rendered(outcome) for key, outcome in evaluation.outcomes.items()}}


def serve(source: BinaryIO, sink: BinaryIO, *, clock: Clock | None = None, max_line_bytes: int = MAX_LINE_BYTES) -> None:
    """Answer every line of a stream until it ends, flushing after each."""
    session = Session(clock or (lambda: datetime.now(UTC)))
    for line in _lines(source, max_line_bytes):
        sink.write(session.answer(line))
        sink.flush()


def _lines(source: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Cut a stream into lines; None for one past the limit, which is read past in pieces."""
    while line := source.readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            yield line
            continue
        while (rest := source.readline(limit)) and not rest.endswith(b"\n"):
            pass
        yield None


def _read(line: bytes | None) -> JsonObject:
    if line is None:
        raise Refusal("line_too_long", "the line is longer than this process reads")
    try:
        request = decode(line)
    except DefinitionsError as error:
        raise Refusal("bad_json", f"the line {error.message}") from error
    if not isinstance(request, dict):
        raise Refusal("bad_request", "a line must be a JSON object")
    return request


def _identity(request: JsonObject) -> Json:
    identity = request.get("id")
    is_finite = not isinstance(identity, float) or math.isfinite(identity)
    return identity if isinstance(identity, str | int | float) and is_finite else None


def _rendered(outcome: Outcome) -> dict[str, Json]:
    is_value = outcome.status is Status.VALUE
    rendered: dict[str, Json] = {
        "status": outcome.status.value,
        "value": outcome.value if is_value else None,
        "payload": outcome.payload if is_value else None,
        "reason": {"code": str(outcome.reason), "condition_index": outcome.condition_index},
    }
    return rendered if outcome.why is None else {**rendered, "why": outcome.why}


def _version() -> str:
    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a bare checkout
        return "0"
