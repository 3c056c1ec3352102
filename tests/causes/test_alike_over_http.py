"""Specificity: the reference against itself over HTTP, two hundred thousand evaluations, values, payloads and reasons."""

import json
import sys

import pytest

from harness.__main__ import AGREE, main

PAIRS = 200_000


@pytest.mark.timeout(600)
def test_two_hundred_thousand_evaluations_over_http_differ_in_nothing(tmp_path, capsys):
    report = tmp_path / "report.json"
    places = ["--corpus", str(tmp_path), "--json", str(report), "--quiet"]
    code = main(["run", "--subjects", "reference,service", "--seconds", "500", "--batches", "420", *places])
    with capsys.disabled():
        sys.stdout.write(f"\n{capsys.readouterr().out}")
    outcome = json.loads(report.read_bytes())
    assert (code, outcome["new"]) == (AGREE, [])
    assert outcome["pairs"] >= PAIRS
