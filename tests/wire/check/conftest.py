"""A real service that can be made to lie, and the command that checks it."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from harness.__main__ import main
from harness.check.asking.credentials import KEY_VARIABLE, TOKEN_VARIABLE
from reference.service.app import WORLD, build
from reference.service.project.memory import Memory
from reference.service.project.project import load_catalogue
from tests.wire.check.documents import KEY, TOKEN, document


class Project:
    """The running service.

    Attributes:
        before: Called with each request and its number; what it returns, if anything, is the answer.
    """

    def __init__(self):
        self.number = 0
        self.before = lambda request, number: None
        self.memory = Memory()

    @property
    def calls(self):
        """Every request it got, those with made answers left out, as (method, target, body)."""
        return [(one.method, one.target, base64.b64decode(one.body)) for one in self.memory.calls]

    def around(self, exchange):
        async def answer(request):
            self.number += 1
            made = self.before(request, self.number)
            return made if made is not None else await exchange(request)

        return answer

    def serve(self, served, evaluated=None):
        """Serve one document, and evaluate by another: a service that deviates from its own definitions."""
        catalogue = load_catalogue(json.dumps(served).encode())
        if evaluated is not None:
            wrong = load_catalogue(json.dumps(evaluated).encode()).projects[0]
            project = catalogue.projects[0]._replace(program=wrong.program)
            catalogue = type(catalogue)([project])
        self.app[WORLD].catalogue = catalogue

    def flag_calls(self):
        return [json.loads(body) for method, path, body in self.calls if path.startswith("/flags/?")]

    @asynccontextmanager
    async def running(self):
        self.app = build(
            load_catalogue(json.dumps(document()).encode()), memory=self.memory, has_test_face=True, around=self.around
        )
        runner = web.AppRunner(self.app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def project(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    async with Project().running() as one:
        yield one


@pytest.fixture
def check(project, capsys):
    """Run the command against the project, in a thread: the service runs in this one. Return code, output, errors."""

    async def run(*arguments, requests=110):
        command = ["check", "--server", project.url, "--rate", "1000", "--max-requests", str(requests), *arguments]
        code = await asyncio.to_thread(main, command)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
