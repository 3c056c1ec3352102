"""Every call that is to change something is in the audit log, also one that broke off on our side."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from proxy.admin.app import application
from tests.fakes.definitions import Lines


def desk(reload: Any) -> Any:
    return SimpleNamespace(settings=SimpleNamespace(admin=SimpleNamespace(host="127.0.0.1")), token=None, reload=reload)


async def broken() -> Any:
    raise ZeroDivisionError


async def done() -> Any:
    return SimpleNamespace(version="v1", problems=())


@pytest.mark.parametrize(
    ("reload", "method", "told"),
    [
        (done, "POST", {"status": 200}),
        (broken, "POST", {"status": 500, "broke_off": True}),
        (done, "GET", None),
    ],
)
async def test_a_call_is_in_the_audit_log_however_it_ended(reload: Any, method: str, told: dict[str, Any] | None) -> None:
    lines = Lines()
    server = TestServer(application(desk(reload), log=lines.log), host="127.0.0.1")
    async with TestClient(server) as client, client.request(method, "/reload") as answer:
        assert answer.status == (405 if told is None else told["status"])
    audits = [line for line in lines.lines if line["event"] == "audit"]
    if told is None:
        assert audits == []
    else:
        (line,) = audits
        assert {name: line.get(name) for name in ("action", "method", *told)} == {"action": "/reload", "method": "POST", **told}
