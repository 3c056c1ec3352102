"""Answers standard input line by line until it ends; what was started ends with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from .conversation import Conversation
from .faces import Face, local_face, proxied_face, url_face

STARTERS: Final[dict[str, Callable[[], Face]]] = {"proxy": proxied_face, "proxy-local": local_face}


def main(arguments: Sequence[str]) -> None:
    """Serve one conversation."""
    face = STARTERS[arguments[0]]() if arguments[0] in STARTERS else url_face(arguments[0], Path(arguments[1]))
    conversation = Conversation(face)
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_answer(conversation, line)) + "\n")
            sys.stdout.flush()
    finally:
        face.close()


def _answer(conversation: Conversation, line: str) -> dict[str, Any]:
    request: Any = {}
    try:
        request = json.loads(line)
        operations = {"describe": conversation.describe, "load": conversation.load, "evaluate": conversation.evaluate}
        return {"id": request.get("id"), **operations[request["op"]](request)}
    except Exception as error:  # noqa: BLE001 — the protocol: a driver answers every line
        identity = request.get("id") if isinstance(request, dict) else None
        return {"id": identity, "error": {"kind": type(error).__name__, "message": str(error)}}


if __name__ == "__main__":
    main(sys.argv[1:])
