"""A running service on an ephemeral loopback port, and a client that sends bytes and reads bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from multidict import CIMultiDict

from reference.service.app import WORLD, build
from reference.service.project.project import load_catalogue

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
NEW_ID = UUID("00000000-0000-4000-8000-00000000000a")

ON = {"groups": [{"properties": [], "rollout_percentage": 100}], "payloads": {"true": '{"a": 1}'}}
STAFF = {"groups": [{"properties": [{"key": "staff", "value": "true", "operator": "exact", "type": "person"}]}]}
FLAGS = [
    {"id": 1, "key": "on", "active": True, "version": 3, "filters": ON},
    {"id": 2, "key": "staff", "active": True, "filters": STAFF, "evaluation_contexts": ["web"]},
    {"id": 3, "key": "server-side", "active": True, "filters": ON, "evaluation_runtime": "server"},
    {"id": 4, "key": "client-side", "active": True, "filters": ON, "evaluation_runtime": "client"},
    {"id": 5, "key": "survey-targeting-nps", "active": True, "filters": ON},
    {"id": 6, "key": "secret-config", "active": True, "filters": ON, "has_encrypted_payloads": True},
]
OTHER = {
    "flags": [],
    "service": {"team_id": 2, "tokens": ["phc_other"], "personal_keys": {"phx_other": {}}, "secret_keys": ["phs_other"]},
}
DOCUMENT: dict[str, Any] = {
    "flags": FLAGS,
    "group_type_mapping": {"0": "organization"},
    "cohorts": {},
    "service": {
        "tokens": ["phc_test"],
        "personal_keys": {
            "phx_all": {},
            "phx_star": {"scopes": ["*"]},
            "phx_read": {"scopes": ["feature_flag:read"]},
            "phx_write": {"scopes": ["feature_flag:write"]},
            "phx_insight": {"scopes": ["insight:read"]},
            "phx_gone": {"active": False},
        },
        "secret_keys": ["phs_main", "phs_backup"],
        "config": {"surveys": False, "siteApps": [{"id": 7}], "hasFeatureFlags": True},
        "persons": [{"distinct_ids": ["ada"], "properties": {"staff": True}}],
        "geoip": {"203.0.113.7": {"staff": "true"}},
        "projects": [OTHER],
    },
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def keys(self) -> set[str]:
        """The flags of the answer, in any shape."""
        found = self.json
        return set(found["flags"] if "flags" in found else found["featureFlags"])


@dataclass(frozen=True)
class Wire:
    port: int
    app: web.Application

    async def send(self, raw: bytes) -> Answer:
        """Send bytes as they are on a connection of their own and read one answer to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = CIMultiDict(line.split(": ", 1) for line in lines[1:] if line)
            has_body = not raw.startswith(b"HEAD")
            body = await reader.readexactly(int(headers.get("Content-Length", "0"))) if has_body else b""
            return Answer(int(lines[0].split(" ")[1]), headers, body)
        finally:
            writer.close()

    async def call(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        lines = [
            f"{method} {target} HTTP/1.1",
            "Host: flags.test",
            *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
        ]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    async def post(self, target: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.call("POST", target, raw, **headers)

    def change(self, **service: Any) -> None:
        """Put other projects in force, as a reload does."""
        changed = {**DOCUMENT, "service": {**DOCUMENT["service"], **service}}
        self.app[WORLD].catalogue = load_catalogue(json.dumps(changed).encode())


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    """Start services with other settings than the usual ones."""
    runners: list[web.AppRunner] = []

    async def starting(document: Any = DOCUMENT, **options: Any) -> Wire:
        app = build(load_catalogue(json.dumps(document).encode()), clock=lambda: NOW, new_id=lambda: NEW_ID, **options)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return Wire(runner.addresses[0][1], app)

    yield starting
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def wire(start: Callable[..., Any]) -> Wire:
    return await start()
