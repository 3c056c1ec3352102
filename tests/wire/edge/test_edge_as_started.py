"""Must show 6 on the proxy as an operator starts it: after all of it the same worker answers, and its log has kept quiet."""

from __future__ import annotations

import json

from tests.wire.edge.malformed import BODIES, CANARY, FRAMING, GOOD, PIPELINES
from tests.wire.edge.rooms import Caller
from tests.wire.edge.service import service
from tests.wire.process.support.instance import Instance

ROWS = [*BODIES, *FRAMING, *PIPELINES]


async def test_after_all_bad_input_the_same_worker_answers_and_nothing_was_logged_of_it() -> None:
    settings = {"LOG__LEVEL": "debug", "LOG__ACCESS_RATIO": 1}
    async with service() as upstream, Instance(UPSTREAMS__DEFAULT__URL=upstream.url, **settings) as instance:
        await instance.ready(1)
        proxy, (worker,) = Caller(instance.port), instance.present()
        for row in ROWS:
            await proxy.hear(row.raw, len(row.statuses))
        assert (await proxy.ask(GOOD)).status == 401
        assert instance.present() == {worker}
        assert upstream.targets == [call for row in ROWS for call in row.upstream] + [("POST", "/flags/?v=2")]
        assert CANARY not in json.dumps(instance.lines)
        assert [line for line in instance.lines if line["level"] in {"error", "critical"}] == []
    assert CANARY not in instance.stderr
