"""`/_test/…`: what arrived, for tests to look at. Only there when the service was started with its test face.

`GET /_test/events` and `GET /_test/calls` list, `DELETE` forgets.
"""

from __future__ import annotations

from typing import Final

import msgspec

from reference.service.reply import Call, Reply, json_reply
from reference.service.world import World

EVENTS: Final = "/_test/events"
CALLS: Final = "/_test/calls"


def answer_inspect(world: World, call: Call) -> Reply:
    """List or forget the events or the calls received."""
    kept = world.memory.events if call.path.rstrip("/") == EVENTS else world.memory.calls
    if call.method == "DELETE":
        kept.clear()
    return json_reply(msgspec.json.encode(list(kept)))
