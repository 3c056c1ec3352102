"""A whole line without sockets whose project keeps definitions."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from proxy.answer.answer import Answer, Failure, Trouble
from proxy.config.settings import Definitions, Project, SecretSource, Settings
from proxy.definitions.document import definitions_set

from .definitions import body
from .line import FakeLine
from .records import record  # noqa: F401 - tests take it from here
from .transport import good

PROJECT, TOKEN = "shop", "phc_shop"
ASK: dict[str, Any] = {"token": TOKEN, "distinct_id": "user-1"}
DOWN = Failure(trouble=Trouble.REFUSED, no_byte_received=True)
BROWSER = (("User-Agent", "Mozilla/5.0"), ("Content-Type", "application/json"))


class KeepingLine(FakeLine):
    def __init__(self, *, definitions: dict[str, Any] | None = None, tokens: tuple[str, ...] = (TOKEN,), **more: Any) -> None:
        rules = Definitions(key=SecretSource(env="UNUSED"), **(definitions or {}))
        super().__init__(projects={PROJECT: Project(tokens=tokens, definitions=rules)}, **more)
        self._generation = 0

    async def hold(self, *flags: dict[str, Any], **document: Any) -> None:
        """Put definitions in force, fetched this instant."""
        self._generation += 1
        kept = definitions_set(
            PROJECT,
            body(list(flags), **document),
            etag=None,
            fetched_at_wall=self.clock.wall(),
            generation=self._generation,
        )
        assert await self.line.held.replace(kept) is None

    def fail(self) -> None:
        self.transport.say = DOWN

    def say(self, *records: dict[str, Any], **fields: Any) -> None:
        """Have upstream answer with these v2 records."""
        answer = {
            "errorsWhileComputingFlags": False,
            "flags": {each["key"]: each for each in records},
            "requestId": "r",
            "evaluatedAt": 1,
            **fields,
        }
        self.transport.say = good(json.dumps(answer).encode())

    def reconfigured(self, settings: Settings) -> None:
        self.line.reconfigure(settings)


def said(answer: Answer) -> dict[str, Any]:
    """Read an answer's body."""
    found: dict[str, Any] = msgspec.json.decode(answer.content.body)
    return found


def values(answer: Answer) -> dict[str, Any]:
    """Read a v2 answer's values."""
    return {key: flag["enabled"] if flag["variant"] is None else flag["variant"] for key, flag in said(answer)["flags"].items()}
