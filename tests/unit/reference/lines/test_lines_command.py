"""`python -m reference`: what it prints when asked for help, and how it ends."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from reference import __main__ as command
from reference import jsonlines

ROOT = Path(__file__).resolve().parents[4]


def test_help_teaches_the_protocol_and_its_example_works(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for kind in ("line_too_long", "bad_json", "bad_request", "bad_definitions", "not_loaded", "internal"):
        assert kind in printed
    session = jsonlines.Session(lambda: datetime(2026, 11, 22, tzinfo=UTC))
    answers = [json.loads(session.answer(line.encode())) for line in re.findall(r"'(\{.*\})'", printed)]
    assert [set(answer) for answer in answers] == [{"id", "name", "version", "capabilities"}, {"id", "ok"}, {"id", "flags"}]
    assert answers[2]["flags"]["beta"]["status"] == "value"


@pytest.mark.parametrize("arguments", [[], ["dance"], ["jsonlines", "more"]])
def test_a_wrong_command_line_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m reference" in capsys.readouterr().err


def test_the_end_of_the_input_ends_it_with_0(monkeypatch):
    sink = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"id":1,"op":"describe"}\n')))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=sink))
    assert command.main(["jsonlines"]) == 0
    assert json.loads(sink.getvalue())["name"] == jsonlines.NAME


def test_a_reader_that_goes_away_ends_it_with_1_and_without_a_word():
    child = subprocess.Popen(
        [sys.executable, "-m", "reference", "jsonlines"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.close()
    child.stdout = None
    _, complaints = child.communicate(b'{"id":1,"op":"describe"}\n' * 2, timeout=60)
    assert (child.returncode, complaints) == (1, b"")
