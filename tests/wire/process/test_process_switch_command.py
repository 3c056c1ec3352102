"""`flags-proxy switch` against a running instance, as an operator types it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.command.desk import Trouble
from proxy.command.switch import span
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream


@pytest.fixture
async def instance(upstream: Upstream) -> AsyncIterator[Instance]:
    settings = {"UPSTREAMS__DEFAULT__URL": upstream.url, "ADMIN__PORT": 0, "PROJECTS__SHOP__TOKENS": '["phc_a"]'}
    async with Instance(**settings) as instance:
        await instance.ready(1)
        yield instance


async def typed(*words: str, **environ: str) -> tuple[int, str, str]:
    """Run the command; return exit code, output and complaints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", "switch", *words, stdout=-1, stderr=-1,
        env=clean | {"HOLDFAST_UPSTREAMS__DEFAULT__URL": "http://127.0.0.1:9"} | environ,
    )  # fmt: skip
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def test_a_switch_is_turned_shown_and_put_back(instance: Instance) -> None:
    at = ("--admin", instance.admin)
    code, out, _ = await typed(*at)
    assert (code, out.splitlines()[0]) == (0, "nothing is turned")
    code, out, errors = await typed("judge", "off", "--project", "shop", "--for", "15m", "--reason", "false alarm", *at)
    assert (code, errors) == (0, "")
    assert out.startswith("1 workers obey\njudge        off      shop                 until 2")
    assert "false alarm" in out
    await until(lambda: instance.events("audit", switch="judge", project="shop", on=False), "the audit line")
    code, out, _ = await typed("judge", "normal", "--project", "shop", *at)
    assert (code, out.splitlines()[1]) == (0, "nothing is turned")
    code, out, _ = await typed("bypass", "on", "--all", "--for", "ever", "--reason", "incident 9", *at)
    assert (code, "bypass       on       (all)                until taken back" in out) == (0, True)


WRONG: list[tuple[tuple[str, ...], int, str]] = [
    (("levitate", "on", "--all", "--reason", "r"), 1, "there is no switch of this name"),
    (("judge", "off", "--project", "nobody", "--reason", "r"), 1, "no project of this name"),
    (("judge", "off", "--reason", "r"), 2, "--project NAME, or --all"),
    (("judge", "off", "--all", "--project", "shop", "--reason", "r"), 2, "--project NAME, or --all"),
    (("judge", "off", "--all"), 2, "--reason"),
    (("judge", "--all"), 2, "`on`, `off` or `normal`"),
    (("judge", "off", "--all", "--reason", "r", "--for", "soon"), 2, "--for takes"),
]


async def test_a_wrong_command_says_the_remedy_and_changes_nothing(instance: Instance) -> None:
    for words, code, hint in WRONG:
        found, _, errors = await typed(*words, "--admin", instance.admin)
        assert (found, hint in errors) == (code, True), (words, errors)
    _, out, _ = await typed("--admin", instance.admin)
    assert out.startswith("nothing is turned")


async def test_the_token_comes_from_where_the_configuration_says_and_is_not_shown(upstream: Upstream, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("canary-token")
    settings = {"UPSTREAMS__DEFAULT__URL": upstream.url, "ADMIN__PORT": 0, "ADMIN__TOKEN__FILE": secret}
    async with Instance(**settings) as instance:
        await instance.ready(1)
        code, _, errors = await typed("--admin", instance.admin)
        assert (code, "401" in errors) == (1, True)
        code, out, errors = await typed("--admin", instance.admin, HOLDFAST_ADMIN__TOKEN__FILE=str(secret))
        assert code == 0, errors
        assert "canary" not in out + errors


async def test_nobody_there_is_said() -> None:
    code, _, errors = await typed("--admin", "http://127.0.0.1:9")
    assert (code, "nobody answers at http://127.0.0.1:9" in errors) == (1, True)
    code, _, errors = await typed()
    assert (code, "give --admin URL" in errors) == (2, True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("2h", 7200.0), ("3d", 259_200.0), ("ever", None)]
)
def test_times_are_read_as_people_write_them(text: str, seconds: float | None) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "1.5h", "-1", "1w", "1 h", "99999999"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    assert isinstance(span(text), Trouble)
