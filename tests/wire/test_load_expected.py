"""A load run that knows the right answers: a truthful server passes, one that answers wrongly fails the run."""

import asyncio
import json
import sys

import pytest
from aiohttp import web

from harness.__main__ import main
from reference.service.app import build
from reference.service.project.project import load_catalogue


def document(share):
    condition = {"properties": [], "rollout_percentage": share}
    flag = {
        "id": 1,
        "key": "share",
        "version": 1,
        "active": True,
        "filters": {"groups": [condition], "payloads": {"true": "1"}},
    }
    return {"flags": [flag], "cohorts": {}, "group_type_mapping": {}, "service": {"tokens": ["phc_expected"]}}


@pytest.mark.parametrize(("served", "code", "said"), [(40, 0, "failures  0"), (95, 1, "× wrong value")])
async def test_answers_are_held_against_the_file_of_right_ones(tmp_path, served, code, said):
    definitions, answers = tmp_path / "definitions.json", tmp_path / "expected.jsonl"
    definitions.write_text(json.dumps(document(40)))
    await asyncio.to_thread(
        main, ["expect", "--definitions", str(definitions), "--out", str(answers), "--people", "8", "--vouchers", "none"]
    )
    runner = web.AppRunner(build(load_catalogue(json.dumps(document(served)).encode())))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    command = ["-m", "load", "run", "--url", f"http://127.0.0.1:{runner.addresses[0][1]}", "--token", "phc_expected"]
    command += ["--users", "8", "--rate", "40", "--duration", "1.5", "--expect", str(answers)]
    child = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    told, _ = await child.communicate()
    await runner.cleanup()
    assert child.returncode == code, told
    assert said in told.decode()
